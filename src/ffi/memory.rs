//! Memory that crosses the boundary: reading the caller's structs, and the arena that holds everything a filled
//! struct points to.

use std::alloc::{self, Layout};
use std::ffi::{CStr, c_char, c_void};
use std::{mem, ptr};

use crate::error::{Error, Result};

/// Zeroes an out-parameter without reading it. NULL is ignored.
///
/// SAFETY: `out` is NULL or valid for writes, and all-zero bytes are a valid `T`.
pub(super) unsafe fn clear<T>(out: *mut T) {
    if !out.is_null() {
        // SAFETY: as for this function.
        unsafe { ptr::write_bytes(out.cast::<u8>(), 0, mem::size_of::<T>()) };
    }
}

/// Fills a zeroed struct of the caller field by field: writing it as a whole would copy undefined padding.
/// Every field must be named, and all values are computed before the first is written.
macro_rules! fill {
    ($out:expr, $name:ident { $($field:ident: $value:expr),* $(,)? }) => {
        let out: *mut $name = $out;
        let _every_field: fn($name) = |$name { $($field: _),* }| ();
        let ($($field,)*) = ($($value,)*);
        $((&raw mut (*out).$field).write_unaligned($field);)*
    };
}
pub(super) use fill;

/// The same for a struct that owns its strings: `texts` are copied to one arena, which `owner` frees. `None` is NULL.
macro_rules! fill_owned {
    ($out:expr, $name:ident {
        texts: { $($text:ident: $string:expr),* $(,)? },
        values: { $($field:ident: $value:expr),* $(,)? } $(,)?
    }) => {
        let texts = [$($string),*];
        let size = texts.into_iter().flatten().map(|text| text.len() + 1).sum();
        let mut arena = memory::Arena::new(size);
        let [$($text),*] = texts.map(|text| arena.optional(text.map(AsRef::as_ref)));
        memory::fill!($out, $name {
            $($text: $text,)*
            $($field: $value,)*
            owner: arena.into_raw(),
            reserved: Default::default(),
        });
    };
}
pub(super) use fill_owned;

pub(super) fn null_argument(name: &str) -> Box<Error> {
    Error::invalid(format!("{name} is NULL; pass a valid pointer."))
}

pub(super) fn check_reserved(reserved: &[u64], name: &str) -> Result<()> {
    if reserved.iter().all(|&word| word == 0) {
        Ok(())
    } else {
        Err(Error::invalid(format!(
            "{name} is not zero; zero the whole struct before setting its fields, and use a library no older than \
             the header."
        )))
    }
}

/// The caller's string, or `None` for NULL.
///
/// SAFETY: `text` is NULL or NUL-terminated, and unchanged during `'a`.
pub(super) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: as for this function.
    match unsafe { CStr::from_ptr(text) }.to_str() {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Error::invalid(format!("{name} is not valid UTF-8; encode it as UTF-8."))),
    }
}

/// One allocation that holds everything a struct points to. Its size is stored in front of it, so it can be
/// freed by its address alone, whatever the caller has done to the text.
pub(super) struct Arena {
    start: *mut u8,
    used: usize,
    size: usize,
}

const PREFIX: usize = mem::align_of::<u128>();
const _: () = assert!(PREFIX >= mem::size_of::<usize>());

fn layout(size: usize) -> Layout {
    Layout::from_size_align(PREFIX + size, PREFIX).expect("an arena is far smaller than the address space")
}

impl Arena {
    /// Allocates `size` bytes: for every text with its terminating NUL, and for the table.
    pub(super) fn new(size: usize) -> Arena {
        let layout = layout(size);
        // SAFETY: the layout is not empty; the prefix is aligned for a usize and within the allocation.
        unsafe {
            let base = alloc::alloc(layout);
            if base.is_null() {
                alloc::handle_alloc_error(layout);
            }
            base.cast::<usize>().write(size);
            Arena { start: base.add(PREFIX), used: 0, size }
        }
    }

    /// Reserves a table of `rows` unwritten rows at the start, where it is aligned.
    pub(super) fn table<T>(&mut self, rows: usize) -> *mut T {
        assert!(self.used == 0 && mem::align_of::<T>() <= PREFIX, "the table comes first");
        self.take(rows * mem::size_of::<T>()).cast()
    }

    pub(super) fn text(&mut self, text: &str) -> *const c_char {
        let at = self.take(text.len() + 1);
        // SAFETY: `take` returned that many bytes, which nothing else uses.
        unsafe {
            ptr::copy_nonoverlapping(text.as_ptr(), at, text.len());
            at.add(text.len()).write(0);
        }
        at.cast()
    }

    pub(super) fn optional(&mut self, text: Option<&str>) -> *const c_char {
        text.map_or(ptr::null(), |text| self.text(text))
    }

    fn take(&mut self, bytes: usize) -> *mut u8 {
        assert!(bytes <= self.size - self.used, "the arena is too small");
        // SAFETY: within the arena, by the assertion above.
        let at = unsafe { self.start.add(self.used) };
        self.used += bytes;
        at
    }

    /// Hands the arena to the caller, who returns it to `free`.
    pub(super) fn into_raw(self) -> *mut c_void {
        let start = self.start;
        mem::forget(self);
        start.cast()
    }

    /// SAFETY: `arena` is NULL, or came from `into_raw` and the caller gives it up.
    pub(super) unsafe fn free(arena: *mut c_void) {
        if !arena.is_null() {
            // SAFETY: the allocation begins PREFIX bytes before, with the size.
            unsafe {
                let base = arena.cast::<u8>().sub(PREFIX);
                alloc::dealloc(base, layout(base.cast::<usize>().read()));
            }
        }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: it is still owned here; `into_raw` forgets it.
        unsafe { Arena::free(self.start.cast()) };
    }
}
