//! What is written from `src/ffi` is what is committed.
//!
//! `FISH_WRITE=1 cargo test --test generated` writes it.

mod support;

use support::{c, generate};

#[test]
fn every_generated_file_is_what_the_source_says() {
    let files = generate::files();
    if std::env::var_os("FISH_WRITE").is_some() {
        for file in &files {
            std::fs::write(c::root().join(file.path), &file.text).expect("the repository can be written");
        }
    }
    let stale: Vec<_> = files
        .iter()
        .filter(|file| generate::committed(file.path) != file.text)
        .map(|file| file.path)
        .collect();
    assert!(stale.is_empty(), "not what src/ffi says: {}; run: {}", stale.join(", "), generate::COMMAND);
}

/// docs/abi.json is read by other languages: it has all that the header has, and says the same.
#[test]
fn the_json_has_everything_that_the_header_has() {
    let files = generate::files();
    let text = |path| &files.iter().find(|file| file.path == path).expect("a generated file").text;
    let json: serde_json::Value = serde_json::from_str(text("docs/abi.json")).expect("JSON");
    let header = support::header::Header::parse(text("include/fish_api_credit.h"));
    let names = |part: &str| -> Vec<String> {
        let items = json[part].as_array().expect(part).iter();
        items.map(|item| item["name"].as_str().or(item.as_str()).expect("a name").to_owned()).collect()
    };
    assert_eq!(names("constants"), header.constants.iter().map(|one| one.name.clone()).collect::<Vec<_>>());
    assert_eq!(names("types"), header.typedefs.iter().map(|one| one.name.clone()).collect::<Vec<_>>());
    assert_eq!(names("enums"), header.enums.iter().map(|one| one.name.clone()).collect::<Vec<_>>());
    assert_eq!(names("opaque"), header.opaque);
    assert_eq!(names("structs"), header.structs.iter().map(|one| one.name.clone()).collect::<Vec<_>>());
    assert_eq!(names("functions"), header.functions.iter().map(|one| one.name.clone()).collect::<Vec<_>>());
    for (one, in_json) in header.structs.iter().zip(json["structs"].as_array().unwrap()) {
        let fields: Vec<_> =
            in_json["fields"].as_array().unwrap().iter().map(|field| &field["name"]).collect();
        assert_eq!(
            fields,
            one.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(),
            "{}",
            one.name
        );
    }
}
