//! Memory that crosses the boundary: what is read from the caller's structs, and the block in which everything
//! that the caller gets back is laid out.

use std::alloc::{self, Layout};
use std::ffi::{CStr, c_char, c_void};
use std::{mem, ptr};

use crate::error::{Error, Result};

/// Zeroes an out-parameter without looking at what was in it. NULL is let pass.
///
/// SAFETY: `out` is NULL or valid for writes, and all-zero bytes are a value of `T`.
pub(super) unsafe fn clear<T>(out: *mut T) {
    if !out.is_null() {
        // SAFETY: as the function demands.
        unsafe { ptr::write_bytes(out.cast::<u8>(), 0, mem::size_of::<T>()) };
    }
}

/// Fills a zeroed struct of the caller's, field by field: written as a whole, it would bring along the padding of
/// the place where it was made. Every field is named, and all values are there before the first is written.
macro_rules! fill {
    ($out:expr, $name:ident { $($field:ident: $value:expr),* $(,)? }) => {
        let out: *mut $name = $out;
        let _every_field: fn($name) = |$name { $($field: _),* }| ();
        let ($($field,)*) = ($($value,)*);
        $((&raw mut (*out).$field).write_unaligned($field);)*
    };
}
pub(super) use fill;

/// The same for a struct that owns its strings: `texts` are laid out in one block of their own, and `owner` frees it.
/// `None` is NULL.
macro_rules! fill_owned {
    ($out:expr, $name:ident {
        texts: { $($text:ident: $string:expr),* $(,)? },
        values: { $($field:ident: $value:expr),* $(,)? } $(,)?
    }) => {
        let texts = [$($string),*];
        let size = texts.into_iter().flatten().map(|text| text.len() + 1).sum();
        let mut block = memory::Block::new(size);
        let [$($text),*] = texts.map(|text| block.optional(text.map(AsRef::as_ref)));
        memory::fill!($out, $name {
            $($text: $text,)*
            $($field: $value,)*
            owner: block.into_raw(),
            reserved: Default::default(),
        });
    };
}
pub(super) use fill_owned;

pub(super) fn missing(name: &str) -> Box<Error> {
    Error::invalid(format!("{name} is NULL; pass a pointer to one."))
}

pub(super) fn unused(reserved: &[u64], name: &str) -> Result<()> {
    if reserved.iter().all(|&word| word == 0) {
        Ok(())
    } else {
        Err(Error::invalid(format!(
            "{name} is not zero; zero the whole struct before setting its fields, and load a library no older than \
             its header."
        )))
    }
}

/// The caller's string, or `None` for NULL.
///
/// SAFETY: `text` is NULL or NUL-terminated, and stays so during `'a`.
pub(super) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: as the function demands.
    match unsafe { CStr::from_ptr(text) }.to_str() {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Error::invalid(format!("{name} is not valid UTF-8; pass it as UTF-8."))),
    }
}

/// One allocation that holds everything a struct points to. Its size stands in front of it, so that it can be
/// freed by its address alone, whatever the caller has done to the text.
pub(super) struct Block {
    start: *mut u8,
    used: usize,
    size: usize,
}

const PREFIX: usize = mem::align_of::<u128>();
const _: () = assert!(PREFIX >= mem::size_of::<usize>());

fn layout(size: usize) -> Layout {
    Layout::from_size_align(PREFIX + size, PREFIX).expect("a block is far smaller than memory")
}

impl Block {
    /// Room for `size` bytes: every text with its closing NUL, and the table.
    pub(super) fn new(size: usize) -> Block {
        let layout = layout(size);
        // SAFETY: the layout is not empty; the prefix is aligned for a usize and lies inside.
        unsafe {
            let base = alloc::alloc(layout);
            if base.is_null() {
                alloc::handle_alloc_error(layout);
            }
            base.cast::<usize>().write(size);
            Block { start: base.add(PREFIX), used: 0, size }
        }
    }

    /// Puts a table of `rows` unwritten rows at the start, where it is aligned.
    pub(super) fn table<T>(&mut self, rows: usize) -> *mut T {
        assert!(self.used == 0 && mem::align_of::<T>() <= PREFIX, "a table stands first");
        self.take(rows * mem::size_of::<T>()).cast()
    }

    pub(super) fn text(&mut self, text: &str) -> *const c_char {
        let at = self.take(text.len() + 1);
        // SAFETY: `take` gave that many bytes, and nobody else has them.
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
        assert!(bytes <= self.size - self.used, "a block was measured too small");
        // SAFETY: within the block, by the line above.
        let at = unsafe { self.start.add(self.used) };
        self.used += bytes;
        at
    }

    /// Hands the block to the caller, who gives it back through `free`.
    pub(super) fn into_raw(self) -> *mut c_void {
        let start = self.start;
        mem::forget(self);
        start.cast()
    }

    /// SAFETY: `block` is NULL or came from `into_raw`, and is given up.
    pub(super) unsafe fn free(block: *mut c_void) {
        if !block.is_null() {
            // SAFETY: the block begins PREFIX before, with its size.
            unsafe {
                let base = block.cast::<u8>().sub(PREFIX);
                alloc::dealloc(base, layout(base.cast::<usize>().read()));
            }
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: still ours; `into_raw` forgets it.
        unsafe { Block::free(self.start.cast()) };
    }
}
