//! Compares the decoder with another one, built on `serde_json::Value` and big integers: both accept the same
//! documents, and get the same values from them.

#![no_main]

use fish_api_credit::fuzzing::{Credit, Money, decode};
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

const KNOWN: [&str; 8] = [
    "_id",
    "user_id",
    "credit",
    "cumulative_top_up",
    "created_at",
    "updated_at",
    "has_phone_sha256",
    "has_free_credit",
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

/// `ours`: the decoder's text, which is used for a number, because a `Value` does not keep a number's text.
fn money(value: &Value, ours: Option<&Money>) -> Option<Money> {
    let text = match value {
        Value::Number(number) => {
            let ours = &ours?.0;
            assert_eq!(ours.parse::<f64>().ok(), number.as_f64(), "{ours} for {number}");
            ours.clone()
        }
        _ => text(value)?,
    };
    let (value, exact) = micros(&text)?;
    Some((text, value, exact))
}

fn reference(fields: &Fields, ours: Option<&Credit>) -> Option<Credit> {
    let mut found = [&Value::Null; 8];
    for (name, value) in &fields.0 {
        if let Some(at) = KNOWN.iter().position(|known| known == name) {
            if fields.0.iter().filter(|(other, _)| other == name).count() > 1 {
                return None;
            }
            found[at] = value;
        }
    }
    let flag = |value: &Value| match value {
        Value::Null => Some(None),
        Value::Bool(flag) => Some(Some(*flag)),
        _ => None,
    };
    let [id, user_id, credit, top_up, created_at, updated_at, phone, free] = found;
    // Of a time, only the text is compared.
    let stamp = |value: &Value, ours: Option<&(String, Option<i64>)>| {
        text(value).map(|text| (text, ours.and_then(|stamp| stamp.1)))
    };
    Some(Credit {
        id: text(id)?,
        user_id: text(user_id)?,
        credit: money(credit, ours.map(|credit| &credit.credit))?,
        cumulative_top_up: match top_up {
            Value::Null => None,
            value => Some(money(value, ours.and_then(|credit| credit.cumulative_top_up.as_ref()))?),
        },
        created_at: stamp(created_at, ours.map(|credit| &credit.created_at))?,
        updated_at: stamp(updated_at, ours.map(|credit| &credit.updated_at))?,
        has_phone_sha256: flag(phone)?,
        has_free_credit: flag(free)?,
    })
}

fuzz_target!(|document: &[u8]| {
    let ours = decode(document).ok();
    match serde_json::from_slice::<Fields>(document) {
        Ok(fields) => {
            let theirs = reference(&fields, ours.as_ref());
            let refused_number = || {
                // A Value does not keep a number's text, so it is unknown whether the number was out of range.
                let is_number = |name: &str| fields.0.iter().any(|(n, v)| n == name && v.is_number());
                is_number("credit") || is_number("cumulative_top_up")
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
