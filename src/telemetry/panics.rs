//! What the log tells of a panic: where it was, and its words if they are the program's own.

use std::any::Any;
use std::panic::PanicHookInfo;

/// Stands for words that were made of values: among those may be a caller's token or SQL.
const NOT_SHOWN: &str = "[made of values, not shown]";

/// Logs a panic; to be set as the hook.
pub fn log(info: &PanicHookInfo<'_>) {
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(location, message = "a panic", words = words(info.payload()));
}

fn words(payload: &(dyn Any + Send)) -> &'static str {
    // A literal; what is made when the program runs is a `String`.
    payload.downcast_ref::<&'static str>().copied().unwrap_or(NOT_SHOWN)
}

#[cfg(test)]
mod tests {
    use std::panic::{catch_unwind, resume_unwind};

    use super::*;

    #[test]
    fn words_made_of_values_are_not_shown() {
        let secret = String::from("canary-token");
        let told = |panics: fn(&str)| words(&*catch_unwind(|| panics(&secret)).expect_err("a panic"));
        assert_eq!(told(|_| panic!("a literal")), "a literal");
        assert_eq!(told(|secret| panic!("no {secret}")), NOT_SHOWN);
        assert_eq!(told(|_| resume_unwind(Box::new(7))), NOT_SHOWN);
    }
}
