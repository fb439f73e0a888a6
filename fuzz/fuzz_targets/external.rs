//! What EXTERN's JSON reads: read again as it is rendered it is the same, and no key stands twice in it.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use msq_gate::json::{self, Json};
use msq_gate::sql::{self, Parameter, RefusalCode};

/// The types of input sources that are read, or the reason of the refusal.
fn types(text: &str) -> Result<BTreeSet<String>, RefusalCode> {
    let statement = "SELECT * FROM TABLE(EXTERN(?, '{}', '[]'))";
    let reading = sql::read(statement, &[Parameter::Text(text.to_owned())]);
    reading.map(|reading| reading.input_source_types).map_err(|refusal| refusal.code)
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(found) = types(text) else { return };
    let tree = json::parse_first(text).expect("what is read begins with JSON");
    assert_eq!(types(&tree.render()), Ok(found.clone()), "rendered anew");
    // Another reader of JSON sees the same, and looks no further either.
    let other = |text: &str| serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>().next();
    match (other(text).expect("a value"), other(&tree.render()).expect("a value")) {
        (Ok(read), Ok(rendered)) => assert_eq!(read, rendered),
        (Err(fault), Err(_)) => assert!(fault.to_string().starts_with("number out of range"), "{fault}"),
        (read, rendered) => panic!("{read:?} is rendered as {rendered:?}"),
    }
    check_tree(&tree);
    let mut said = BTreeSet::new();
    said_types(&tree, &mut said);
    assert!(found.is_subset(&said), "{found:?} are not all said");
    for odd in ["druid", "sql", "index"] {
        assert!(!said.contains(odd), "{odd} is passed by");
    }
    let Json::Object(members) = &tree else { panic!("an object is read") };
    for (key, value) in members {
        let mut twice = members.clone();
        twice.push((key.clone(), value.clone()));
        assert_eq!(types(&Json::Object(twice).render()), Err(RefusalCode::ExternalJson), "{key} twice");
    }
    let mut more = members.clone();
    more.push(("a key that is not there yet".to_owned(), json::parse(r#"[{"a":{"type":"druid"}}]"#).expect("JSON")));
    assert!(types(&Json::Object(more).render()).is_err(), "a datasource is passed by");
});

fn check_tree(tree: &Json) {
    match tree {
        Json::Object(members) => {
            let keys: BTreeSet<_> = members.iter().map(|(key, _)| key).collect();
            assert_eq!(keys.len(), members.len(), "a key stands twice");
            members.iter().for_each(|(_, value)| check_tree(value));
        }
        Json::Array(items) => items.iter().for_each(check_tree),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// Every type that is said anywhere.
fn said_types(tree: &Json, said: &mut BTreeSet<String>) {
    match tree {
        Json::Object(members) => {
            said.extend(tree.get("type").and_then(Json::as_str).map(str::to_owned));
            members.iter().for_each(|(_, value)| said_types(value, said));
        }
        Json::Array(items) => items.iter().for_each(|item| said_types(item, said)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}
