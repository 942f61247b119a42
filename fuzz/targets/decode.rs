//! Any bytes as a document. It is decoded completely, or rejected with a message.

#![no_main]

use fish_api_credit::fuzzing::{Value, decode, micros};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| match decode(document) {
    Ok(credit) => {
        for value in credit.iter().filter_map(|(_, value)| value.as_ref()) {
            match value {
                Value::Text(text) | Value::Time(text, _) => assert!(!text.contains('\0')),
                Value::Money(text, value, exact) => assert_eq!(micros(text), Some((*value, *exact))),
                Value::Flag(_) => {}
            }
        }
        // A document with anything after it is invalid.
        assert!(decode(&[document, b"x"].concat()).is_err());
        assert_eq!(decode(&[document, b" \n"].concat()), Ok(credit));
    }
    Err(failure) => {
        assert!(matches!(failure.status, 48 | 49), "{failure:?}");
        let message = &failure.texts[0];
        assert!(message.ends_with('.') && !message.contains('\0'), "{message:?}");
    }
});
