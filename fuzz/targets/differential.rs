//! Compares the decoder with another one, built on `serde_json::Value` and big integers: both accept the same
//! documents, and get the same values from them.

#![no_main]

use fish_api_credit::fuzzing::{self, Credit, decode};
use libfuzzer_sys::fuzz_target;
use num_bigint::BigInt;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

/// An object's fields in order, including duplicates.
struct Fields(Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Fields, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Fields;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(Collect)
    }
}

enum Kind {
    Text,
    Money,
    Time,
    Flag,
}

/// Each known field's key, its kind, and whether it may be absent or null; in the decoder's order.
const KNOWN: &[(&str, Kind, bool)] = &[
    ("_id", Kind::Text, false),
    ("user_id", Kind::Text, false),
    ("credit", Kind::Money, false),
    ("cumulative_top_up", Kind::Money, true),
    ("created_at", Kind::Time, false),
    ("updated_at", Kind::Time, false),
    ("has_phone_sha256", Kind::Flag, true),
    ("has_free_credit", Kind::Flag, true),
];

/// The floor of the decimal times a million, and whether it is exact.
fn micros(text: &str) -> Option<(i64, bool)> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = unsigned.to_ascii_lowercase();
    let (mantissa, exponent) = match lower.split_once('e') {
        Some((mantissa, exponent)) => {
            let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let size: BigInt = digits.parse().ok()?;
            if size > BigInt::from(100) {
                return None;
            }
            let size = i32::try_from(size).ok()?;
            (mantissa, if exponent.starts_with('-') { -size } else { size })
        }
        None => (lower.as_str(), 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut value: BigInt = digits.parse().ok()?;
    if negative {
        value = -value;
    }
    let shift = exponent + 6 - i32::try_from(fraction.len()).ok()?;
    let ten = BigInt::from(10);
    let (floor, rest) = if shift >= 0 {
        (value * ten.pow(shift.unsigned_abs()), false)
    } else {
        let divisor = ten.pow(shift.unsigned_abs());
        let (mut quotient, remainder) = (&value / &divisor, &value % &divisor);
        let rest = remainder != BigInt::ZERO;
        if rest && negative {
            quotient -= 1;
        }
        (quotient, rest)
    };
    let held = if floor < BigInt::ZERO { i64::MIN } else { i64::MAX };
    Some(match i64::try_from(floor) {
        Ok(value) => (value, !rest),
        Err(_) => (held, false),
    })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.contains('\0')).map(str::to_owned)
}

/// The value that a field should have. `ours`: what the decoder got, for what a `Value` does not keep, a number's own
/// text, and for what is not compared, the reading of a time.
fn value(kind: &Kind, value: &Value, ours: Option<&fuzzing::Value>) -> Option<fuzzing::Value> {
    Some(match kind {
        Kind::Text => fuzzing::Value::Text(text(value)?),
        Kind::Time => {
            let read = ours.and_then(|ours| if let fuzzing::Value::Time(_, at) = ours { *at } else { None });
            fuzzing::Value::Time(text(value)?, read)
        }
        Kind::Flag => fuzzing::Value::Flag(value.as_bool()?),
        Kind::Money => {
            let text = match (value, ours) {
                (Value::Number(number), Some(fuzzing::Value::Money(ours, ..))) => {
                    assert_eq!(ours.parse::<f64>().ok(), number.as_f64(), "{ours} for {number}");
                    ours.clone()
                }
                _ => text(value)?,
            };
            let (micros, exact) = micros(&text)?;
            fuzzing::Value::Money(text, micros, exact)
        }
    })
}

fn reference(fields: &Fields, ours: Option<&Credit>) -> Option<Credit> {
    let mut credit = Vec::new();
    for (at, (key, kind, optional)) in KNOWN.iter().enumerate() {
        let mut found = fields.0.iter().filter(|(name, _)| name == key).map(|(_, value)| value);
        let (first, more) = (found.next().unwrap_or(&Value::Null), found.next());
        if more.is_some() {
            return None;
        }
        credit.push(match first {
            Value::Null if *optional => (*key, None),
            first => (*key, Some(value(kind, first, ours.and_then(|ours| ours[at].1.as_ref()))?)),
        });
    }
    Some(credit)
}

fuzz_target!(|document: &[u8]| {
    let ours = decode(document).ok();
    match serde_json::from_slice::<Fields>(document) {
        Ok(fields) => {
            let theirs = reference(&fields, ours.as_ref());
            let refused_number = || {
                // A Value does not keep a number's text, so it is unknown whether the number was out of range.
                let is_number = |name: &str| fields.0.iter().any(|(n, v)| n == name && v.is_number());
                KNOWN.iter().any(|(key, kind, _)| matches!(kind, Kind::Money) && is_number(key))
            };
            assert!(ours == theirs || ours.is_none() && refused_number(), "{ours:?}\n{theirs:?}");
        }
        // Unknown fields are skipped, not decoded.
        Err(why) if ours.is_some() => {
            let why = why.to_string();
            let passed_over = ["number out of range", "recursion limit", "surrogate", "hex escape"];
            assert!(passed_over.iter().any(|known| why.contains(known)), "{why}");
        }
        Err(_) => {}
    }
});
