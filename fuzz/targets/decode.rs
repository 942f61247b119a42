//! Any bytes as a document. It is decoded completely, or rejected with a message.

#![no_main]

use fish_api_credit::fuzzing::{decode, micros};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| match decode(document) {
    Ok(credit) => {
        let (text, value, exact) = &credit.credit;
        assert_eq!(micros(text), Some((*value, *exact)));
        for text in [&credit.id, &credit.user_id, text, &credit.created_at.0, &credit.updated_at.0] {
            assert!(!text.contains('\0'));
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
