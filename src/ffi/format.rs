//! Amounts as text for a person.

use std::ffi::c_char;

use super::boundary;
use crate::money;

/// Writes an amount of micros, such as fish_api_credit.credit_micros, as exact decimal text, rounded down:
/// 12345678 with 2 decimals is "12.34", and -1 is "-0.01". It never overstates a balance. Works as snprintf does:
/// at most `size` bytes are written, the closing NUL included, and a text that does not fit is cut.
///
/// @param micros    Millionths.
/// @param decimals  Digits after the point, 0 to 6. More than 6 are taken as 6; with 0 there is no point.
/// @param buffer    Yours; where the text goes. 32 bytes are always enough. NULL: nothing is written.
/// @param size      The buffer's size in bytes. 0: nothing is written.
/// @return The length of the whole text, without the closing NUL. It was cut if this is not below `size`.
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
            // SAFETY: the caller vouches for `size` bytes, of which one is left for the NUL.
            unsafe {
                buffer.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), written);
                buffer.add(written).write(0);
            }
        }
        text.len()
    })
}
