//! Formatting amounts.

use std::ffi::c_char;

use super::boundary;
use crate::money;

/// Writes an amount of micros, such as fish_api_credit.credit_micros, as exact decimal text, rounded down:
/// 12345678 with 2 decimals is "12.34", and -1 is "-0.01". It never overstates a balance. Works like snprintf:
/// it writes at most `size` bytes, including the terminating NUL, and truncates text that does not fit.
///
/// @param micros    Millionths.
/// @param decimals  Digits after the point, 0 to 6. More than 6 means 6; with 0 there is no point.
/// @param buffer    The caller's memory for the text. 32 bytes are always enough. NULL: nothing is written.
/// @param size      The buffer's size in bytes. 0: nothing is written.
/// @return The length of the whole text without the terminating NUL. If it is not below `size`, the text was
///         truncated.
///
/// Any thread; never waits. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn fish_format_micros(
    micros: i64,
    decimals: u32,
    buffer: *mut c_char,
    size: usize,
) -> usize {
    boundary::guarded(0, || {
        let text = money::format(micros, decimals);
        if !buffer.is_null() && size > 0 {
            let written = text.len().min(size - 1);
            // SAFETY: the caller guarantees `size` writable bytes, one of which is left for the NUL.
            unsafe {
                buffer.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), written);
                buffer.add(written).write(0);
            }
        }
        text.len()
    })
}
