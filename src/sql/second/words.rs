//! The words on which Druid's grammar and that of `sqlparser` part.

use sqlparser::keywords::Keyword;

/// Words that are not reserved and mean something where they stand; elsewhere `sqlparser` takes them for names.
const SOFT: [(&str, Keyword); 40] = [
    ("AFTER", Keyword::AFTER),
    ("ASC", Keyword::ASC),
    ("BERNOULLI", Keyword::BERNOULLI),
    ("CENTURY", Keyword::CENTURY),
    ("DAYS", Keyword::DAYS),
    ("DECADE", Keyword::DECADE),
    ("DESC", Keyword::DESC),
    ("DOW", Keyword::DOW),
    ("DOY", Keyword::DOY),
    ("EPOCH", Keyword::EPOCH),
    ("FIRST", Keyword::FIRST),
    ("FOLLOWING", Keyword::FOLLOWING),
    ("HOURS", Keyword::HOURS),
    ("IGNORE", Keyword::IGNORE),
    ("ISODOW", Keyword::ISODOW),
    ("ISOYEAR", Keyword::ISOYEAR),
    ("JSON", Keyword::JSON),
    ("LAST", Keyword::LAST),
    ("MICROSECOND", Keyword::MICROSECOND),
    ("MILLENNIUM", Keyword::MILLENNIUM),
    ("MILLISECOND", Keyword::MILLISECOND),
    ("MINUTES", Keyword::MINUTES),
    ("MONTHS", Keyword::MONTHS),
    ("NANOSECOND", Keyword::NANOSECOND),
    ("NULLS", Keyword::NULLS),
    ("ORDINALITY", Keyword::ORDINALITY),
    ("PAST", Keyword::PAST),
    ("PRECEDING", Keyword::PRECEDING),
    ("QUARTER", Keyword::QUARTER),
    ("REPEATABLE", Keyword::REPEATABLE),
    ("RESPECT", Keyword::RESPECT),
    ("RLIKE", Keyword::RLIKE),
    ("SAFE_CAST", Keyword::SAFE_CAST),
    ("SECONDS", Keyword::SECONDS),
    ("SETS", Keyword::SETS),
    ("TRY_CAST", Keyword::TRY_CAST),
    ("UNBOUNDED", Keyword::UNBOUNDED),
    ("WEEK", Keyword::WEEK),
    ("YEARS", Keyword::YEARS),
    ("ZONE", Keyword::ZONE),
];

/// The keyword that an unreserved word may be.
pub(super) fn soft(word: &str) -> Option<Keyword> {
    SOFT.iter().find(|(listed, _)| listed.eq_ignore_ascii_case(word)).map(|(_, keyword)| *keyword)
}

/// Whether what is no quoted name may be one: the words that Druid reserves may not.
pub(super) fn may_name(keyword: Keyword) -> bool {
    keyword == Keyword::NoKeyword || SOFT.iter().any(|(_, soft)| *soft == keyword)
}

/// Reserved words with which no expression begins, but perhaps the call of a function.
const STRUCTURE: [Keyword; 44] = [
    Keyword::AND,
    Keyword::AS,
    Keyword::BETWEEN,
    Keyword::BY,
    Keyword::CROSS,
    Keyword::DISTINCT,
    Keyword::ELSE,
    Keyword::END,
    Keyword::ESCAPE,
    Keyword::EXCEPT,
    Keyword::FETCH,
    Keyword::FILTER,
    Keyword::FOR,
    Keyword::FROM,
    Keyword::FULL,
    Keyword::GROUP,
    Keyword::HAVING,
    Keyword::IN,
    Keyword::INNER,
    Keyword::INTERSECT,
    Keyword::INTO,
    Keyword::IS,
    Keyword::JOIN,
    Keyword::LEFT,
    Keyword::LIKE,
    Keyword::LIMIT,
    Keyword::MATCH_RECOGNIZE,
    Keyword::NATURAL,
    Keyword::OFFSET,
    Keyword::ON,
    Keyword::OR,
    Keyword::ORDER,
    Keyword::OVER,
    Keyword::PARTITION,
    Keyword::QUALIFY,
    Keyword::RIGHT,
    Keyword::SET,
    Keyword::TABLESAMPLE,
    Keyword::THEN,
    Keyword::UNION,
    Keyword::USING,
    Keyword::WHEN,
    Keyword::WHERE,
    Keyword::WINDOW,
];

/// Whether no expression begins with the word.
pub(super) fn is_structure(keyword: Keyword) -> bool {
    STRUCTURE.contains(&keyword)
}

/// The functions whose arguments have words between them.
const SPECIAL: [&str; 19] = [
    "CEIL",
    "CEILING",
    "CONVERT",
    "EXTRACT",
    "FLOOR",
    "GROUP_CONCAT",
    "JSON_ARRAY",
    "JSON_ARRAYAGG",
    "JSON_EXISTS",
    "JSON_OBJECT",
    "JSON_OBJECTAGG",
    "JSON_QUERY",
    "JSON_VALUE",
    "NORMALIZE",
    "OVERLAY",
    "POSITION",
    "SUBSTRING",
    "TRANSLATE",
    "TRIM",
];

/// Whether a function has words between its arguments.
pub(super) fn is_special(function: &str) -> bool {
    listed(&SPECIAL, function)
}

/// The words between them.
const SEPARATORS: [&str; 38] = [
    "ABSENT",
    "ARRAY",
    "AS",
    "BOTH",
    "CONDITIONAL",
    "DEFAULT",
    "EMPTY",
    "ENCODING",
    "ERROR",
    "FOR",
    "FORMAT",
    "FROM",
    "IN",
    "JSON",
    "KEY",
    "KEYS",
    "LAX",
    "LEADING",
    "OBJECT",
    "ON",
    "PASSING",
    "PLACING",
    "PRECISION",
    "RETURNING",
    "SEPARATOR",
    "STRICT",
    "TO",
    "TRAILING",
    "UNCONDITIONAL",
    "UNIQUE",
    "UNKNOWN",
    "USING",
    "UTF8",
    "VALUE",
    "VARYING",
    "WITH",
    "WITHOUT",
    "WRAPPER",
];

/// Whether the word stands between arguments of a special function.
pub(super) fn is_separator(word: &str) -> bool {
    listed(&SEPARATORS, word)
}

/// Reserved words that compare what stands on both sides of them.
const COMPARISONS: [&str; 8] =
    ["CONTAINS", "EQUALS", "LIKE_REGEX", "MEMBER", "OVERLAPS", "PRECEDES", "SUBMULTISET", "SUCCEEDS"];

/// Whether a reserved word compares, as `=` does.
pub(super) fn is_comparison(word: &str) -> bool {
    listed(&COMPARISONS, word)
}

/// Reserved words that change nothing of what is read: `BETWEEN SYMMETRIC`, `TIMESTAMP WITH LOCAL TIME ZONE`, `NEW f()`.
const SILENT: [&str; 4] = ["ASYMMETRIC", "LOCAL", "NEW", "SYMMETRIC"];

/// Whether a reserved word can be left out.
pub(super) fn is_silent(word: &str) -> bool {
    listed(&SILENT, word)
}

/// Whether the word stands between a comparison and a query: `x = ANY (SELECT y FROM t)`.
pub(super) fn is_quantifier(word: &str) -> bool {
    listed(&["ALL", "ANY", "SOME"], word)
}

fn listed(list: &[&str], word: &str) -> bool {
    list.iter().any(|listed| listed.eq_ignore_ascii_case(word))
}
