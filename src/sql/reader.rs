//! The structural reader: a walk over the tokens that stops wherever a table can stand.
//!
//! It follows the productions of Calcite's `Parser.jj` with Druid's additions, except that an expression is any run of
//! tokens up to a word that cannot be inside one. All groups are entered, so no sub-query is passed by.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::external::{ExternalPermission, ExternalRules, Sources};
use super::refusal::{Fault, RefusalCode};
use super::scope::Scope;
use super::system::{self, Qualifier};
use super::token::{Kind, Token};
use super::{MAX_DEPTH, MAX_RESOURCES, Parameter, Place, PlaceRole, Reading, SystemTable};
use crate::permission::{Action, ResourceAction, ResourceType};

mod expression;
mod external;
mod from;
mod function;
mod names;
mod query;
mod statement;

type Read<T> = Result<T, Box<Fault>>;

/// Reads the tokens of `text`, and tells with which of them the query begins, if one can be told.
pub(super) fn read<'a>(
    text: &'a str,
    tokens: &'a [Token],
    parameters: &'a [Parameter],
    rules: &'a ExternalRules,
) -> Read<(Reading, Option<usize>)> {
    let mut reader = Reader::new(text, tokens, parameters, rules);
    let statement = reader.statements()?;
    reader.check_count(0)?;
    let reading = Reading {
        kind: statement.kind,
        explain: statement.explain,
        resources: reader.found.resources(rules.permission),
        system_tables: reader.found.system_tables(),
        input_source_types: reader.found.input_source_types.iter().map(ToString::to_string).collect(),
        set_options: statement.set_options,
        system_places: reader.found.system_places,
        qualifiers: reader.found.qualifiers,
    };
    Ok((reading, reader.query_begins))
}

/// The same, of which only the places of what is found are kept.
pub(super) fn places<'a>(
    text: &'a str,
    tokens: &'a [Token],
    parameters: &'a [Parameter],
    rules: &'a ExternalRules,
) -> Read<Vec<Place>> {
    let mut reader = Reader { places: Some(Vec::new()), ..Reader::new(text, tokens, parameters, rules) };
    reader.statements()?;
    reader.check_count(0)?;
    let mut places = reader.places.unwrap_or_default();
    // The table of `( wiki LIMIT 1 )` is known as one only after what stands in it.
    places.sort_by_key(|place| place.range.start);
    Ok(places)
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    parameters: &'a [Parameter],
    rules: &'a ExternalRules,
    /// The index of the next token.
    at: usize,
    depth: usize,
    /// How many `?` stand before the next token.
    parameters_passed: usize,
    /// The token with which the statement's query begins.
    query_begins: Option<usize>,
    scope: Scope<'a>,
    found: Found<'a>,
    /// Where it was found, if somebody wants to know.
    places: Option<Vec<Place>>,
}

/// What the statement names.
#[derive(Default)]
struct Found<'a> {
    datasources: BTreeSet<Cow<'a, str>>,
    views: BTreeSet<Cow<'a, str>>,
    system_places: Vec<system::Place>,
    qualifiers: Vec<Qualifier>,
    input_source_types: BTreeSet<&'static str>,
    target: Option<(ResourceType, Cow<'a, str>)>,
}

impl Found<'_> {
    fn add(&mut self, sources: Sources) {
        self.input_source_types.extend(sources.types);
        self.datasources.extend(sources.datasources.into_iter().map(Cow::Owned));
    }

    /// What a statement names, each place of a system table by itself, for each is narrowed by itself.
    fn count(&self) -> usize {
        let system = self.system_places.len().max(self.qualifiers.len());
        let tables = self.datasources.len() + self.views.len() + system;
        tables + self.input_source_types.len() + usize::from(self.target.is_some())
    }

    fn resources(&self, permission: ExternalPermission) -> BTreeSet<ResourceAction> {
        let read = |kind: ResourceType, name: &str| ResourceAction::new(Action::Read, kind, name);
        let mut resources = BTreeSet::new();
        resources.extend(self.datasources.iter().map(|name| read(ResourceType::Datasource, name)));
        resources.extend(self.views.iter().map(|name| read(ResourceType::View, name)));
        resources.extend(self.external(permission).into_iter().map(|name| read(ResourceType::External, name)));
        if let Some((kind, name)) = &self.target {
            resources.insert(ResourceAction::new(Action::Write, *kind, name.as_ref()));
        }
        resources
    }

    fn external(&self, permission: ExternalPermission) -> BTreeSet<&'static str> {
        self.input_source_types.iter().map(|source| permission.resource(source)).collect()
    }

    fn system_tables(&self) -> BTreeSet<SystemTable> {
        self.system_places.iter().map(|place| place.table.clone()).collect()
    }
}

/// What stands at the place of a query or an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// One SELECT, or TABLE t, that has no ORDER BY or LIMIT of its own yet.
    Select,
    /// The same after a WITH, whose names are the last that the scope has forgotten.
    WithSelect,
    /// Any other query.
    Query,
    /// A name alone, beginning at this token: a column, or a table if LIMIT follows.
    Name(usize),
    /// Any other expression, or several.
    Other,
}

impl Shape {
    const fn is_query(self) -> bool {
        match self {
            Self::Select | Self::WithSelect | Self::Query => true,
            Self::Name(_) | Self::Other => false,
        }
    }
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, tokens: &'a [Token], parameters: &'a [Parameter], rules: &'a ExternalRules) -> Self {
        Self {
            text,
            tokens,
            parameters,
            rules,
            at: 0,
            depth: 0,
            parameters_passed: 0,
            query_begins: None,
            scope: Scope::default(),
            found: Found::default(),
            places: None,
        }
    }

    /// Notes the place of something that ends before the next token.
    fn note(&mut self, role: PlaceRole, start: usize, name: &str) {
        self.note_until(role, start, self.at, name);
    }

    /// The same of something that ends before this token.
    fn note_until(&mut self, role: PlaceRole, start: usize, until: usize, name: &str) {
        if let Some(places) = &mut self.places {
            let last = until.checked_sub(1).and_then(|at| self.tokens.get(at));
            let end = last.map_or(start, |token| token.end(self.text));
            let needs = role.need(name).into_iter().collect();
            places.push(Place { range: start..end, role, name: name.to_owned(), needs });
        }
    }

    /// Adds what the call reads whose place was noted last.
    fn add(&mut self, sources: Sources) {
        if let Some(place) = self.places.as_mut().and_then(|places| places.last_mut()) {
            place.needs.extend(sources.resources(self.rules.permission));
        }
        self.found.add(sources);
    }

    fn check_count(&self, at: usize) -> Read<()> {
        if self.found.count() <= MAX_RESOURCES {
            return Ok(());
        }
        let message = format!("the statement names more than {MAX_RESOURCES} tables; write several statements");
        Err(Fault::new(RefusalCode::TooManyResources, at, message))
    }

    fn peek(&self, ahead: usize) -> Kind {
        self.tokens.get(self.at + ahead).map_or(Kind::End, |token| token.kind)
    }

    fn kind(&self) -> Kind {
        self.peek(0)
    }

    /// The kind of the token `behind` places before the next.
    fn before(&self, behind: usize) -> Kind {
        self.at.checked_sub(behind).and_then(|at| self.tokens.get(at)).map_or(Kind::End, |token| token.kind)
    }

    fn advance(&mut self) {
        if self.kind() == Kind::Parameter {
            self.parameters_passed += 1;
        }
        self.at += 1;
    }

    /// Passes the next token if it is of this kind.
    fn take(&mut self, kind: Kind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, kind: Kind, what: &str) -> Read<()> {
        if self.take(kind) { Ok(()) } else { Err(self.unexpected(what)) }
    }

    /// The next token as it is written.
    fn image(&self) -> &'a str {
        self.image_ahead(0)
    }

    fn image_ahead(&self, ahead: usize) -> &'a str {
        let token = self.tokens.get(self.at + ahead);
        token.and_then(|token| self.text.get(token.start()..token.end(self.text))).unwrap_or_default()
    }

    /// The next token is this word, which is not reserved.
    fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.peek(ahead) == Kind::Name && self.image_ahead(ahead).eq_ignore_ascii_case(word)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        if found {
            self.advance();
        }
        found
    }

    /// Byte offset of the next token.
    fn offset(&self) -> usize {
        self.tokens.get(self.at).map_or(self.text.len(), |token| token.start())
    }

    fn fault(&self, code: RefusalCode, message: impl Into<String>) -> Box<Fault> {
        Fault::new(code, self.offset(), message)
    }

    /// Here stands something else than what could: `expected`, as one would be told to write it.
    fn unexpected(&self, expected: &str) -> Box<Fault> {
        let found = match self.kind() {
            Kind::End => "the end of the text".to_owned(),
            kind if kind.is_text() || kind == Kind::Binary => "a string".to_owned(),
            Kind::Number => "a number".to_owned(),
            _ => format!("[{}]", self.image()),
        };
        self.fault(RefusalCode::Syntax, format!("{found} does not fit here; write {expected}"))
    }

    /// Enters a group; [`Reader::leave`] follows unless the text is refused.
    fn enter(&mut self) -> Read<()> {
        if self.depth == MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} groups within one another; write it flatter, or with WITH");
            return Err(self.fault(RefusalCode::TooDeep, message));
        }
        self.depth += 1;
        Ok(())
    }

    const fn leave(&mut self) {
        self.depth -= 1;
    }
}
