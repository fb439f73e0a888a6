//! The kinds of tokens, and the part that each plays for a reader that does not know the grammar of expressions.

use super::lexer::end_of_token;

/// A token: where it begins and what it is, from which follows where it ends. Four bytes, so that a reading stays small
/// beside its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    start: [u8; 3],
    /// What it is.
    pub kind: Kind,
}

impl Token {
    /// Offsets fit: [`super::MAX_TEXT_BYTES`] is below 2^24.
    pub(super) fn new(kind: Kind, start: usize) -> Self {
        let [a, b, c, _] = u32::try_from(start).unwrap_or(u32::MAX).to_le_bytes();
        Self { start: [a, b, c], kind }
    }

    /// Byte offset of its first byte.
    pub(super) const fn start(self) -> usize {
        let [a, b, c] = self.start;
        u32::from_le_bytes([a, b, c, 0]) as usize
    }

    /// Byte offset after its last byte in `text`, of which it is a token.
    pub(super) fn end(self, text: &str) -> usize {
        end_of_token(text, self.kind, self.start())
    }
}

/// What a token is. Words that no rule of this room asks about are `Name` (may name a thing) or `Reserved` (may not).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An unquoted name, or a word that is not reserved in every version of Druid.
    Name,
    /// `"name"`
    Quoted,
    /// `U&"name"`
    UnicodeQuoted,
    /// `'text'`
    Text,
    /// `U&'text'`
    UnicodeText,
    /// `E'text'`, which Druid 27 and older do not know
    EscapedText,
    /// `N'text'`, `_utf8'text'`
    PrefixedText,
    /// `X'00'`
    Binary,
    Number,
    /// `?`
    Parameter,
    LeftParen,
    RightParen,
    LeftBracket,
    RightBracket,
    LeftBrace,
    RightBrace,
    Comma,
    Semicolon,
    Dot,
    Star,
    Equal,
    Plus,
    Minus,
    /// `=>`
    NamedArgument,
    /// Any other operator.
    Operator,
    /// Any other reserved word.
    Reserved,
    /// After the last token.
    End,
    All,
    Alter,
    As,
    By,
    Clustered,
    Cross,
    Describe,
    Distinct,
    Except,
    Explain,
    Extend,
    Fetch,
    For,
    From,
    Full,
    Group,
    Having,
    Inner,
    Insert,
    Intersect,
    Into,
    Is,
    Join,
    Lateral,
    Left,
    Limit,
    MatchRecognize,
    MinusWord,
    Multiset,
    Natural,
    Not,
    Null,
    Offset,
    On,
    Order,
    Outer,
    Over,
    Partition,
    Partitioned,
    Qualify,
    Recursive,
    Right,
    Row,
    Select,
    Set,
    Specific,
    Stream,
    System,
    Table,
    Tablesample,
    To,
    Uescape,
    Union,
    Unnest,
    Using,
    Values,
    Where,
    Window,
    With,
    Within,
}

impl Kind {
    /// The production `SimpleIdentifier` takes it. QUALIFY is a plain name for Druid 27 and older.
    pub(super) const fn is_name(self) -> bool {
        matches!(self, Self::Name | Self::Quoted | Self::UnicodeQuoted | Self::Qualify)
    }

    /// A query can begin with it. WITH is told from `TIMESTAMP WITH LOCAL TIME ZONE` by where it stands.
    pub(super) const fn begins_query(self) -> bool {
        matches!(self, Self::Select | Self::Values | Self::Table | Self::With)
    }

    /// `BinaryQueryOperator`
    pub(super) const fn is_set_operator(self) -> bool {
        matches!(self, Self::Union | Self::Intersect | Self::Except | Self::MinusWord)
    }

    /// `LIMIT`, `OFFSET`, `FETCH`
    pub(super) const fn begins_limit(self) -> bool {
        matches!(self, Self::Limit | Self::Offset | Self::Fetch)
    }

    /// `)`, `]`, `}`
    pub(super) const fn closes(self) -> bool {
        matches!(self, Self::RightParen | Self::RightBracket | Self::RightBrace)
    }

    /// A character literal of any spelling.
    pub(super) const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::UnicodeText | Self::EscapedText | Self::PrefixedText)
    }

    /// What it does to the scan of an expression.
    pub(super) const fn role(self) -> Role {
        match self {
            Self::Name | Self::Quoted | Self::UnicodeQuoted | Self::Qualify => Role::Name,
            Self::Text
            | Self::UnicodeText
            | Self::EscapedText
            | Self::PrefixedText
            | Self::Binary
            | Self::Number
            | Self::Parameter
            | Self::Dot
            | Self::Star
            | Self::Equal
            | Self::Plus
            | Self::Minus
            | Self::NamedArgument
            | Self::Operator
            | Self::Reserved
            | Self::All
            | Self::As
            | Self::By
            | Self::Distinct
            | Self::For
            | Self::Is
            | Self::Multiset
            | Self::Not
            | Self::Null
            | Self::Over
            | Self::Partition
            | Self::Row
            | Self::Specific
            | Self::System
            | Self::To
            | Self::Uescape
            | Self::Within => Role::Plain,
            Self::With => Role::With,
            Self::LeftParen | Self::LeftBracket | Self::LeftBrace => Role::Open,
            Self::Left | Self::Right | Self::Offset => Role::StopUnlessCalled,
            Self::Union | Self::Intersect | Self::Except | Self::MinusWord => Role::SetOperator,
            Self::From => Role::From,
            Self::Group => Role::Group,
            Self::RightParen
            | Self::RightBracket
            | Self::RightBrace
            | Self::Comma
            | Self::Semicolon
            | Self::End
            | Self::Alter
            | Self::Clustered
            | Self::Cross
            | Self::Describe
            | Self::Explain
            | Self::Extend
            | Self::Fetch
            | Self::Full
            | Self::Having
            | Self::Inner
            | Self::Insert
            | Self::Into
            | Self::Join
            | Self::Lateral
            | Self::Limit
            | Self::MatchRecognize
            | Self::Natural
            | Self::On
            | Self::Order
            | Self::Outer
            | Self::Partitioned
            | Self::Recursive
            | Self::Select
            | Self::Set
            | Self::Stream
            | Self::Table
            | Self::Tablesample
            | Self::Unnest
            | Self::Using
            | Self::Values
            | Self::Where
            | Self::Window => Role::Stop,
        }
    }
}

/// What a token does to the scan of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing.
    Plain,
    /// It may be a function, if `(` follows.
    Name,
    /// It opens a group.
    Open,
    /// It ends the expression, unless `(` follows: `LEFT(x, 2)`, `a[OFFSET(0)]`.
    StopUnlessCalled,
    /// It ends the expression, unless MULTISET stands before it.
    SetOperator,
    /// It ends the expression, unless it belongs to `IS DISTINCT FROM`.
    From,
    /// It ends the expression, unless it belongs to `WITHIN GROUP`.
    Group,
    /// It ends the expression where a list of WITH follows, and not in `TIMESTAMP WITH LOCAL TIME ZONE`.
    With,
    /// It ends the expression; whoever asked for it decides what it means.
    Stop,
}
