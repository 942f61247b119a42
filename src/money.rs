//! Decimal text to whole micros (millionths) and back, in integers only.

/// The largest exponent accepted. Python's `Decimal`, which the service uses, may print zero as `0E-6`; no real amount
/// comes near this limit.
const MAX_EXPONENT: i64 = 100;

/// An amount in millionths, rounded towards negative infinity, so that it never overstates a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Micros {
    pub value: i64,
    /// False if the value was rounded or saturated.
    pub exact: bool,
}

/// Parses `[+-]digits[.digits][e[+-]digits]`, with digits on at least one side of the point. `None`: not such a number.
pub(crate) fn micros(text: &str) -> Option<Micros> {
    let bytes = text.as_bytes();
    let (negative, unsigned) = match bytes.first()? {
        b'-' => (true, &bytes[1..]),
        b'+' => (false, &bytes[1..]),
        _ => (false, bytes),
    };
    let (mantissa, exponent) = match unsigned.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (&unsigned[..at], read_exponent(&unsigned[at + 1..])?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match mantissa.iter().position(|&b| b == b'.') {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &[][..]),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }

    // Digits before this position are whole micros; the rest is rounded off.
    let point = whole.len() as i64 + exponent + 6;
    let mut magnitude: u64 = 0;
    let mut saturated = false;
    let mut lost = false;
    let mut place = 0i64;
    for digit in whole.iter().chain(fraction).map(|b| u64::from(b - b'0')) {
        if place < point {
            push_digit(&mut magnitude, &mut saturated, digit);
        } else {
            lost |= digit != 0;
        }
        place += 1;
    }
    while place < point && magnitude != 0 && !saturated {
        push_digit(&mut magnitude, &mut saturated, 0);
        place += 1;
    }

    // The magnitude of i64::MIN.
    const LIMIT: u64 = 1 << 63;
    let (value, fits) = if negative {
        let down = magnitude.saturating_add(u64::from(lost));
        (0i64.checked_sub_unsigned(down).unwrap_or(i64::MIN), down <= LIMIT)
    } else {
        (i64::try_from(magnitude).unwrap_or(i64::MAX), magnitude < LIMIT)
    };
    let value = match (saturated, negative) {
        (true, true) => i64::MIN,
        (true, false) => i64::MAX,
        _ => value,
    };
    Some(Micros { value, exact: fits && !saturated && !lost })
}

/// The number of decimals of a micro.
const MAX_DECIMALS: u32 = 6;

/// Formats micros with that many decimals, rounded towards negative infinity. More than six means six.
pub(crate) fn format(micros: i64, decimals: u32) -> String {
    let decimals = decimals.min(MAX_DECIMALS);
    let units = micros.div_euclid(10i64.pow(MAX_DECIMALS - decimals));
    let (sign, magnitude) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
    let one = 10u64.pow(decimals);
    let (whole, fraction) = (magnitude / one, magnitude % one);
    match decimals {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{fraction:0width$}", width = decimals as usize),
    }
}

fn push_digit(magnitude: &mut u64, saturated: &mut bool, digit: u64) {
    match magnitude.checked_mul(10).and_then(|m| m.checked_add(digit)) {
        Some(m) => *magnitude = m,
        None => *saturated = true,
    }
}

fn read_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = digits.iter().try_fold(0i64, |sum, b| {
        let sum = sum * 10 + i64::from(b - b'0');
        (sum <= MAX_EXPONENT).then_some(sum)
    })?;
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use proptest::prelude::*;

    #[test]
    fn decimals_become_micros() {
        for (text, value, exact) in [
            ("0", 0, true),
            ("0.000000", 0, true),
            ("-0", 0, true),
            ("0E-6", 0, true),
            ("0e100", 0, true),
            ("12.345678", 12_345_678, true),
            ("+1", 1_000_000, true),
            ("1.", 1_000_000, true),
            (".5", 500_000, true),
            ("-.5", -500_000, true),
            ("007", 7_000_000, true),
            ("1e2", 100_000_000, true),
            ("1.5E+1", 15_000_000, true),
            ("1500e-3", 1_500_000, true),
            ("0.0000009", 0, false),
            ("-0.0000001", -1, false),
            ("-0.00000100", -1, true),
            ("-1.0000009", -1_000_001, false),
            ("0.12345678901234567890", 123_456, false),
            ("0.12345600000000000000", 123_456, true),
            ("9223372036854.775807", i64::MAX, true),
            ("9223372036854.7758079", i64::MAX, false),
            ("9223372036854.775808", i64::MAX, false),
            ("-9223372036854.775808", i64::MIN, true),
            ("-9223372036854.7758080", i64::MIN, true),
            ("-9223372036854.7758081", i64::MIN, false),
            ("-9223372036854.775809", i64::MIN, false),
            ("99999999999999999999999999", i64::MAX, false),
            ("-99999999999999999999999999", i64::MIN, false),
            ("1e100", i64::MAX, false),
            ("1e-100", 0, false),
            ("-1e-100", -1, false),
            ("18446744073709.551615", i64::MAX, false),
            ("18446744073709.551616", i64::MAX, false),
            ("-18446744073709.551615999", i64::MIN, false),
        ] {
            assert_eq!(micros(text), Some(Micros { value, exact }), "{text}");
        }
    }

    #[test]
    fn anything_else_is_not_an_amount() {
        for text in [
            "",
            " ",
            "-",
            "+",
            ".",
            "-.",
            "e5",
            "1e",
            "1e+",
            "1e101",
            "1e-101",
            "1e99999999999999999999",
            "NaN",
            "nan",
            "Infinity",
            "-inf",
            "true",
            "1,5",
            "1 ",
            " 1",
            "1_000",
            "0x10",
            "--1",
            "1.2.3",
            "1e5.5",
            "$5",
            "١",
            "1\0",
        ] {
            assert_eq!(micros(text), None, "{text:?}");
        }
    }

    #[test]
    fn micros_become_text_that_never_overstates() {
        for (micros, decimals, text) in [
            (12_345_678, 2, "12.34"),
            (-1, 2, "-0.01"),
            (-1, 0, "-1"),
            (-1, 5, "-0.00001"),
            (-1, 6, "-0.000001"),
            (-10_000, 2, "-0.01"),
            (-10_001, 2, "-0.02"),
            (-999_999, 0, "-1"),
            (-1_000_000, 0, "-1"),
            (0, 0, "0"),
            (0, 2, "0.00"),
            (0, 6, "0.000000"),
            (9_999, 2, "0.00"),
            (10_000, 2, "0.01"),
            (999_999, 0, "0"),
            (999_999, 1, "0.9"),
            (1_000_000, 0, "1"),
            (1_050_000, 3, "1.050"),
            (12_345_678, 6, "12.345678"),
            (12_345_678, 7, "12.345678"),
            (12_345_678, u32::MAX, "12.345678"),
            (i64::MAX, 6, "9223372036854.775807"),
            (i64::MAX, 0, "9223372036854"),
            (i64::MIN, 6, "-9223372036854.775808"),
            (i64::MIN, 5, "-9223372036854.77581"),
            (i64::MIN, 0, "-9223372036855"),
        ] {
            assert_eq!(format(micros, decimals), text, "{micros} with {decimals}");
        }
    }

    /// floor(text × 10^6) by big integers, independent of the code above.
    fn reference(negative: bool, digits: &str, point: usize, exponent: i32) -> (BigInt, bool) {
        let mut n: BigInt = digits.parse().unwrap();
        if negative {
            n = -n;
        }
        let scale = exponent + 6 - (digits.len() - point) as i32;
        let ten = BigInt::from(10);
        if scale >= 0 {
            return (n * ten.pow(scale as u32), true);
        }
        let divisor = ten.pow(-scale as u32);
        let mut quotient = &n / &divisor;
        let exact = &quotient * &divisor == n;
        if !exact && negative {
            quotient -= 1;
        }
        (quotient, exact)
    }

    proptest! {
        #[test]
        fn any_decimal_agrees_with_a_big_decimal_and_is_never_overstated(
            negative: bool,
            digits in "[0-9]{1,40}",
            split in 0usize..=40,
            exponent in -100i32..=100,
            write_exponent: bool,
        ) {
            let point = split.min(digits.len());
            let exponent = if write_exponent { exponent } else { 0 };
            let mut text = format!("{}{}.{}", if negative { "-" } else { "" }, &digits[..point], &digits[point..]);
            if write_exponent {
                text += &format!("e{exponent}");
            }
            let (want, want_exact) = reference(negative, &digits, point, exponent);
            let got = micros(&text).unwrap();
            let clamped = want.clone().clamp(i64::MIN.into(), i64::MAX.into());
            prop_assert_eq!(BigInt::from(got.value), clamped.clone(), "{}", text);
            prop_assert_eq!(got.exact, want_exact && clamped == want, "{}", text);
            if want >= BigInt::from(i64::MIN) {
                prop_assert!(BigInt::from(got.value) <= want);
            }
        }

        #[test]
        fn formatted_text_parses_back_to_the_rounded_value(value: i64, decimals in 0u32..=7) {
            let text = format(value, decimals);
            let unit = 10i64.pow(6 - decimals.min(6));
            let down = i128::from(value).div_euclid(unit.into()) * i128::from(unit);
            let read = micros(&text).unwrap();
            prop_assert!(down < i64::MIN.into() || (read.exact && i128::from(read.value) == down), "{}", text);
            prop_assert!(text.len() < 32);
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = micros(&text);
        }
    }
}
