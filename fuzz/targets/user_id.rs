//! Any texts as user_id and team_id. Each remains one segment or value of the request, and decodes to itself. In the
//! input, a NUL separates them.

#![no_main]

use fish_api_credit::fuzzing::request;
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;

fuzz_target!(|input: &str| {
    let mut parts = input.split('\0');
    let (user_id, team_id, check) = (parts.next(), parts.next(), parts.next().is_some());
    let user_id = user_id.unwrap_or_default();
    let refused = |id: &str| id.is_empty() || id.len() > 1024;
    let bytes = request("https://h/v1", Some(user_id), team_id, check, "key");
    let Some(bytes) = bytes else {
        assert!(refused(user_id) || user_id == "." || user_id == ".." || team_id.is_some_and(refused));
        return;
    };
    assert!(!refused(user_id) && !team_id.is_some_and(refused));
    let mut fields = [httparse::EMPTY_HEADER; 8];
    let mut parsed = httparse::Request::new(&mut fields);
    assert_eq!(parsed.parse(&bytes).expect("HTTP"), httparse::Status::Complete(bytes.len()));
    assert_eq!((parsed.method, parsed.headers.len()), (Some("GET"), 5));
    let target = parsed.path.expect("a path");
    assert!(target.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%/?&=".contains(&b)), "{target}");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let segments: Vec<&str> = path.split('/').collect();
    let [_, "v1", "wallet", segment, "api-credit"] = segments[..] else { panic!("{path}") };
    assert!(!matches!(segment, "." | ".."), "{path}");
    assert_eq!(percent_decode_str(segment).decode_utf8().expect("UTF-8"), user_id);
    let mut want = Vec::new();
    if check {
        want.push(("check_free_credit".to_owned(), "true".to_owned()));
    }
    want.extend(team_id.map(|id| ("team_id".to_owned(), id.to_owned())));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().expect("UTF-8").into_owned();
    let got: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), decoded(value))).expect("a pair"))
        .collect();
    assert_eq!(got, want);
});
