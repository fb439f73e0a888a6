//! The words that name nothing: those that every version of Druid reserves (Calcite 1.21 and 1.37, Druid's own two).
//!
//! DATETIME, JSON_SCOPE, ORDINAL, QUALIFY, SAFE_CAST, SAFE_OFFSET, SAFE_ORDINAL, TRY_CAST and the days of the week are
//! reserved from Druid 28 on and plain names before. They are read as names, so that a table or an alias of such a name
//! is not missed; of them only QUALIFY begins anything that the reader asks about.

use super::token::Kind;

/// The kind of the unquoted word that stands there. Druid folds the case of ASCII letters only.
pub(super) fn kind_of(bytes: &[u8], start: usize, end: usize) -> Kind {
    let (word, head) = (bytes.get(start..end).unwrap_or_default(), head_at(bytes, start, end));
    let mut slot = slot_of(head, word.len());
    while let Some(known) = SLOTS_TAKEN.get(slot).and_then(|taken| WORDS.get(usize::from(*taken))) {
        if known.head == head && known.rest().eq_ignore_ascii_case(word.get(HEAD..).unwrap_or_default()) {
            return known.kind;
        }
        slot = (slot + 1) % SLOTS;
    }
    Kind::Name
}

/// How many letters of a word are compared at once.
const HEAD: usize = 8;

/// Makes letters of a word small. Of what else a word may hold it makes no letter.
const SMALL: u64 = 0x2020_2020_2020_2020;

/// A word, and its first letters as one number.
#[derive(Clone, Copy)]
struct Word {
    text: &'static str,
    head: u64,
    kind: Kind,
}

impl Word {
    fn rest(&self) -> &[u8] {
        self.text.as_bytes().get(HEAD..).unwrap_or_default()
    }
}

/// The first letters of a word, in lower case, as one number; what is left of it is nought, so that words of different
/// lengths up to [`HEAD`] have different ones.
fn head_at(bytes: &[u8], start: usize, end: usize) -> u64 {
    let length = end - start;
    match bytes.get(start..).and_then(<[u8]>::first_chunk) {
        Some(first) if length >= HEAD => u64::from_le_bytes(*first) | SMALL,
        // What follows the word is there to be read, and is taken away.
        Some(first) => (u64::from_le_bytes(*first) | SMALL) & ((1 << (8 * length)) - 1),
        None => head_of(bytes.get(start..end).unwrap_or_default()),
    }
}

/// The same of a word after which there may be nothing.
const fn head_of(word: &[u8]) -> u64 {
    let (mut head, mut rest, mut at) = (0, word, 0);
    while at < HEAD
        && let [first, others @ ..] = rest
    {
        head |= ((*first | 0x20) as u64) << (8 * at);
        (rest, at) = (others, at + 1);
    }
    head
}

/// Some three times as many as there are words, so that most words are told from all of them by one look.
const SLOTS: usize = 1024;

/// What stands in a slot that no word has: an index beyond all of them.
const FREE: u16 = u16::MAX;

/// The place at which the search for a word begins: the upper bits of a product with the golden ratio (Knuth, volume 3,
/// section 6.4).
const fn slot_of(head: u64, length: usize) -> usize {
    let product = (head ^ (length as u64)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (product >> (u64::BITS - SLOTS.ilog2())) as usize
}

/// All words.
#[expect(clippy::indexing_slicing, reason = "evaluated when the program is built")]
static WORDS: [Word; ASKED.len() + RESERVED.len()] = {
    let mut words = [Word { text: "", head: 0, kind: Kind::Reserved }; ASKED.len() + RESERVED.len()];
    let mut at = 0;
    while at < words.len() {
        let (text, kind) = if at < ASKED.len() { ASKED[at] } else { (RESERVED[at - ASKED.len()], Kind::Reserved) };
        words[at] = Word { text, head: head_of(text.as_bytes()), kind };
        at += 1;
    }
    words
};

/// An open hash table of indices into [`WORDS`].
#[expect(clippy::indexing_slicing, reason = "evaluated when the program is built; slots are taken modulo the length")]
static SLOTS_TAKEN: [u16; SLOTS] = {
    let mut taken = [FREE; SLOTS];
    let mut at = 0_u16;
    while (at as usize) < WORDS.len() {
        let word = WORDS[at as usize];
        let mut slot = slot_of(word.head, word.text.len());
        while taken[slot] != FREE {
            slot = (slot + 1) % SLOTS;
        }
        taken[slot] = at;
        at += 1;
    }
    taken
};

/// The words that the reader asks about.
const ASKED: [(&str, Kind); 60] = [
    ("ALL", Kind::All),
    ("ALTER", Kind::Alter),
    ("AS", Kind::As),
    ("BY", Kind::By),
    ("CLUSTERED", Kind::Clustered),
    ("CROSS", Kind::Cross),
    ("DESCRIBE", Kind::Describe),
    ("DISTINCT", Kind::Distinct),
    ("EXCEPT", Kind::Except),
    ("EXPLAIN", Kind::Explain),
    ("EXTEND", Kind::Extend),
    ("FETCH", Kind::Fetch),
    ("FOR", Kind::For),
    ("FROM", Kind::From),
    ("FULL", Kind::Full),
    ("GROUP", Kind::Group),
    ("HAVING", Kind::Having),
    ("INNER", Kind::Inner),
    ("INSERT", Kind::Insert),
    ("INTERSECT", Kind::Intersect),
    ("INTO", Kind::Into),
    ("IS", Kind::Is),
    ("JOIN", Kind::Join),
    ("LATERAL", Kind::Lateral),
    ("LEFT", Kind::Left),
    ("LIMIT", Kind::Limit),
    ("MATCH_RECOGNIZE", Kind::MatchRecognize),
    ("MINUS", Kind::MinusWord),
    ("MULTISET", Kind::Multiset),
    ("NATURAL", Kind::Natural),
    ("NOT", Kind::Not),
    ("NULL", Kind::Null),
    ("OFFSET", Kind::Offset),
    ("ON", Kind::On),
    ("ORDER", Kind::Order),
    ("OUTER", Kind::Outer),
    ("OVER", Kind::Over),
    ("PARTITION", Kind::Partition),
    ("PARTITIONED", Kind::Partitioned),
    ("QUALIFY", Kind::Qualify),
    ("RECURSIVE", Kind::Recursive),
    ("RIGHT", Kind::Right),
    ("ROW", Kind::Row),
    ("SELECT", Kind::Select),
    ("SET", Kind::Set),
    ("SPECIFIC", Kind::Specific),
    ("STREAM", Kind::Stream),
    ("SYSTEM", Kind::System),
    ("TABLE", Kind::Table),
    ("TABLESAMPLE", Kind::Tablesample),
    ("TO", Kind::To),
    ("UESCAPE", Kind::Uescape),
    ("UNION", Kind::Union),
    ("UNNEST", Kind::Unnest),
    ("USING", Kind::Using),
    ("VALUES", Kind::Values),
    ("WHERE", Kind::Where),
    ("WINDOW", Kind::Window),
    ("WITH", Kind::With),
    ("WITHIN", Kind::Within),
];

/// All others.
const RESERVED: [&str; 304] = [
    "ABS",
    "ALLOCATE",
    "ALLOW",
    "AND",
    "ANY",
    "ARE",
    "ARRAY",
    "ARRAY_MAX_CARDINALITY",
    "ASENSITIVE",
    "ASYMMETRIC",
    "AT",
    "ATOMIC",
    "AUTHORIZATION",
    "AVG",
    "BEGIN",
    "BEGIN_FRAME",
    "BEGIN_PARTITION",
    "BETWEEN",
    "BIGINT",
    "BINARY",
    "BIT",
    "BLOB",
    "BOOLEAN",
    "BOTH",
    "CALL",
    "CALLED",
    "CARDINALITY",
    "CASCADED",
    "CASE",
    "CAST",
    "CEIL",
    "CEILING",
    "CHAR",
    "CHARACTER",
    "CHARACTER_LENGTH",
    "CHAR_LENGTH",
    "CHECK",
    "CLASSIFIER",
    "CLOB",
    "CLOSE",
    "COALESCE",
    "COLLATE",
    "COLLECT",
    "COLUMN",
    "COMMIT",
    "CONDITION",
    "CONNECT",
    "CONSTRAINT",
    "CONTAINS",
    "CONVERT",
    "CORR",
    "CORRESPONDING",
    "COUNT",
    "COVAR_POP",
    "COVAR_SAMP",
    "CREATE",
    "CUBE",
    "CUME_DIST",
    "CURRENT",
    "CURRENT_CATALOG",
    "CURRENT_DATE",
    "CURRENT_DEFAULT_TRANSFORM_GROUP",
    "CURRENT_PATH",
    "CURRENT_ROLE",
    "CURRENT_ROW",
    "CURRENT_SCHEMA",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_TRANSFORM_GROUP_FOR_TYPE",
    "CURRENT_USER",
    "CURSOR",
    "CYCLE",
    "DATE",
    "DAY",
    "DEALLOCATE",
    "DEC",
    "DECIMAL",
    "DECLARE",
    "DEFAULT",
    "DEFINE",
    "DELETE",
    "DENSE_RANK",
    "DEREF",
    "DETERMINISTIC",
    "DISALLOW",
    "DISCONNECT",
    "DOUBLE",
    "DROP",
    "DYNAMIC",
    "EACH",
    "ELEMENT",
    "ELSE",
    "EMPTY",
    "END",
    "END_FRAME",
    "END_PARTITION",
    "EQUALS",
    "ESCAPE",
    "EVERY",
    "EXEC",
    "EXECUTE",
    "EXISTS",
    "EXP",
    "EXTERNAL",
    "EXTRACT",
    "FALSE",
    "FILTER",
    "FIRST_VALUE",
    "FLOAT",
    "FLOOR",
    "FOREIGN",
    "FRAME_ROW",
    "FREE",
    "FUNCTION",
    "FUSION",
    "GET",
    "GLOBAL",
    "GRANT",
    "GROUPING",
    "GROUPS",
    "HOLD",
    "HOUR",
    "IDENTITY",
    "IMPORT",
    "IN",
    "INDICATOR",
    "INITIAL",
    "INOUT",
    "INSENSITIVE",
    "INT",
    "INTEGER",
    "INTERSECTION",
    "INTERVAL",
    "JSON_ARRAY",
    "JSON_ARRAYAGG",
    "JSON_EXISTS",
    "JSON_OBJECT",
    "JSON_OBJECTAGG",
    "JSON_QUERY",
    "JSON_VALUE",
    "LAG",
    "LANGUAGE",
    "LARGE",
    "LAST_VALUE",
    "LEAD",
    "LEADING",
    "LIKE",
    "LIKE_REGEX",
    "LN",
    "LOCAL",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "LOWER",
    "MATCH",
    "MATCHES",
    "MATCH_NUMBER",
    "MAX",
    "MEASURES",
    "MEMBER",
    "MERGE",
    "METHOD",
    "MIN",
    "MINUTE",
    "MOD",
    "MODIFIES",
    "MODULE",
    "MONTH",
    "NATIONAL",
    "NCHAR",
    "NCLOB",
    "NEW",
    "NEXT",
    "NO",
    "NONE",
    "NORMALIZE",
    "NTH_VALUE",
    "NTILE",
    "NULLIF",
    "NUMERIC",
    "OCCURRENCES_REGEX",
    "OCTET_LENGTH",
    "OF",
    "OLD",
    "OMIT",
    "ONE",
    "ONLY",
    "OPEN",
    "OR",
    "OUT",
    "OVERLAPS",
    "OVERLAY",
    "PARAMETER",
    "PATTERN",
    "PER",
    "PERCENT",
    "PERCENTILE_CONT",
    "PERCENTILE_DISC",
    "PERCENT_RANK",
    "PERIOD",
    "PERMUTE",
    "PORTION",
    "POSITION",
    "POSITION_REGEX",
    "POWER",
    "PRECEDES",
    "PRECISION",
    "PREPARE",
    "PREV",
    "PRIMARY",
    "PROCEDURE",
    "RANGE",
    "RANK",
    "READS",
    "REAL",
    "REF",
    "REFERENCES",
    "REFERENCING",
    "REGR_AVGX",
    "REGR_AVGY",
    "REGR_COUNT",
    "REGR_INTERCEPT",
    "REGR_R2",
    "REGR_SLOPE",
    "REGR_SXX",
    "REGR_SXY",
    "REGR_SYY",
    "RELEASE",
    "RESET",
    "RESULT",
    "RETURN",
    "RETURNS",
    "REVOKE",
    "ROLLBACK",
    "ROLLUP",
    "ROWS",
    "ROW_NUMBER",
    "RUNNING",
    "SAVEPOINT",
    "SCOPE",
    "SCROLL",
    "SEARCH",
    "SECOND",
    "SEEK",
    "SENSITIVE",
    "SESSION_USER",
    "SHOW",
    "SIMILAR",
    "SKIP",
    "SMALLINT",
    "SOME",
    "SPECIFICTYPE",
    "SQL",
    "SQLEXCEPTION",
    "SQLSTATE",
    "SQLWARNING",
    "SQRT",
    "START",
    "STATIC",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "SUBMULTISET",
    "SUBSET",
    "SUBSTRING",
    "SUBSTRING_REGEX",
    "SUCCEEDS",
    "SUM",
    "SYMMETRIC",
    "SYSTEM_TIME",
    "SYSTEM_USER",
    "THEN",
    "TIME",
    "TIMESTAMP",
    "TIMEZONE_HOUR",
    "TIMEZONE_MINUTE",
    "TINYINT",
    "TRAILING",
    "TRANSLATE",
    "TRANSLATE_REGEX",
    "TRANSLATION",
    "TREAT",
    "TRIGGER",
    "TRIM",
    "TRIM_ARRAY",
    "TRUE",
    "TRUNCATE",
    "UNIQUE",
    "UNKNOWN",
    "UPDATE",
    "UPPER",
    "UPSERT",
    "USER",
    "VALUE",
    "VALUE_OF",
    "VARBINARY",
    "VARCHAR",
    "VARYING",
    "VAR_POP",
    "VAR_SAMP",
    "VERSIONING",
    "WHEN",
    "WHENEVER",
    "WIDTH_BUCKET",
    "WITHOUT",
    "YEAR",
];

#[cfg(test)]
mod tests {
    use super::{ASKED, RESERVED};
    use crate::sql::token::Kind;

    /// Alone, and with more text around it.
    fn kind_of(word: &str) -> Kind {
        let kind = super::kind_of(word.as_bytes(), 0, word.len());
        let within = format!("x {word} {word}{word}");
        assert_eq!(super::kind_of(within.as_bytes(), 2, 2 + word.len()), kind, "{word}");
        kind
    }

    #[test]
    fn every_word_is_found_in_either_case_and_no_other() {
        for (text, kind) in ASKED {
            assert_eq!((kind_of(text), kind_of(&text.to_lowercase())), (kind, kind), "{text}");
        }
        for text in RESERVED {
            assert_eq!((kind_of(text), kind_of(&text.to_lowercase())), (Kind::Reserved, Kind::Reserved), "{text}");
        }
        assert_eq!(ASKED.len() + RESERVED.len(), 364);
        for text in [
            "wiki",
            "replace",
            "extern",
            "partitione",
            "partitionedx",
            "current_timestamq",
            "monday",
            "try_cast",
            "datetime",
            "select_",
            "selec",
            "JO\u{131}N",
            "",
        ] {
            assert_eq!(kind_of(text), Kind::Name, "{text}");
        }
    }
}
