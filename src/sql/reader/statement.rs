//! Statements: SET, EXPLAIN, DESCRIBE, INSERT, REPLACE, and queries by themselves.

use super::{Read, Reader, Shape};
use crate::permission::ResourceType;
use crate::sql::refusal::{Fault, RefusalCode};
use crate::sql::token::Kind;
use crate::sql::{PlaceRole, SetOption, SetValue, StatementKind};

/// What a text consists of.
pub(super) struct Statement {
    pub kind: StatementKind,
    pub explain: bool,
    pub set_options: Vec<SetOption>,
}

impl Reader<'_> {
    /// Druid: `DruidSqlParser.parse`: SET statements, then one other.
    pub(super) fn statements(&mut self) -> Read<Statement> {
        let mut set_options = Vec::new();
        while matches!(self.kind(), Kind::Set | Kind::Alter) {
            set_options.push(self.set_option()?);
            self.expect(Kind::Semicolon, "a semicolon after the value of SET")?;
        }
        let explain = self.take_explain()?;
        let kind = self.statement()?;
        let ended = self.take(Kind::Semicolon);
        while self.take(Kind::Semicolon) {}
        match self.kind() {
            Kind::End => Ok(Statement { kind, explain, set_options }),
            _ if ended => Err(self.unsupported("one statement at a time, after its SET statements")),
            _ => Err(self.unexpected("nothing more after the statement")),
        }
    }

    fn set_option(&mut self) -> Read<SetOption> {
        if self.take(Kind::Alter) && !self.take(Kind::System) && !self.take_word("SESSION") {
            return Err(self.unsupported("SET"));
        }
        self.expect(Kind::Set, "SET")?;
        let path = self.path()?;
        self.expect(Kind::Equal, "= and a literal")?;
        Ok(SetOption { name: path.first.into_owned(), value: self.set_value()?, at: path.at })
    }

    fn set_value(&mut self) -> Read<SetValue> {
        let image = self.image();
        let value = match self.kind() {
            Kind::Text | Kind::UnicodeText | Kind::PrefixedText => {
                return self.string().map(|text| SetValue::Text(text.into_owned()));
            }
            Kind::Number => SetValue::Number(image.to_owned()),
            Kind::Plus | Kind::Minus if self.peek(1) == Kind::Number => {
                self.advance();
                SetValue::Number(format!("{image}{}", self.image()))
            }
            Kind::Reserved if image.eq_ignore_ascii_case("TRUE") => SetValue::Boolean(true),
            Kind::Reserved if image.eq_ignore_ascii_case("FALSE") => SetValue::Boolean(false),
            Kind::Null => SetValue::Other,
            _ => {
                return Err(self.fault(
                    RefusalCode::SetValue,
                    "the value of SET is not a literal; write a string, a number, TRUE or FALSE",
                ));
            }
        };
        self.advance();
        Ok(value)
    }

    /// `EXPLAIN PLAN [..] FOR`, or `DESCRIBE [STATEMENT]` of a query.
    fn take_explain(&mut self) -> Read<bool> {
        if self.take(Kind::Describe) {
            if !self.take_word("STATEMENT") && self.kind() == Kind::Table {
                return Err(self.unsupported("DESCRIBE of a query, not of a table"));
            }
            return Ok(true);
        }
        if !self.take(Kind::Explain) {
            return Ok(false);
        }
        if !self.take_word("PLAN") {
            return Err(self.unexpected("PLAN FOR"));
        }
        while !self.take(Kind::For) {
            match self.kind() {
                // EXCLUDING ATTRIBUTES, INCLUDING ALL ATTRIBUTES, WITH TYPE, WITHOUT IMPLEMENTATION, AS XML
                Kind::Name | Kind::All | Kind::With | Kind::As | Kind::Reserved => self.advance(),
                _ => return Err(self.unexpected("FOR and a statement")),
            }
        }
        Ok(true)
    }

    fn statement(&mut self) -> Read<StatementKind> {
        match self.kind() {
            Kind::Insert => {
                self.advance();
                self.ingest(StatementKind::Insert)
            }
            Kind::Name if self.is_word(0, "REPLACE") && self.peek(1) == Kind::Into => {
                self.advance();
                self.ingest(StatementKind::Replace)
            }
            _ => {
                if !self.query_begins() {
                    return Err(self.unsupported("SELECT, WITH, VALUES, TABLE, INSERT, REPLACE or EXPLAIN PLAN FOR"));
                }
                self.query_begins = Some(self.at);
                if !self.ordered_query()?.is_query() {
                    return Err(self.unexpected("a query"));
                }
                Ok(StatementKind::Select)
            }
        }
    }

    fn query_begins(&self) -> bool {
        self.kind().begins_query() || self.kind() == Kind::LeftParen
    }

    fn unsupported(&self, expected: &str) -> Box<Fault> {
        self.fault(RefusalCode::UnsupportedStatement, format!("Druid runs no such statement; write {expected}"))
    }

    /// After INSERT or REPLACE. Druid: `DruidSqlInsertEof`, `DruidSqlReplaceEof`.
    fn ingest(&mut self, kind: StatementKind) -> Read<StatementKind> {
        self.expect(Kind::Into, "INTO")?;
        if self.is_word(0, "EXTERN") && self.peek(1) == Kind::LeftParen {
            self.export(kind)?;
        } else {
            let path = self.path()?;
            self.write_table(path)?;
        }
        self.target_columns()?;
        if self.take(Kind::As) {
            self.name()?;
        }
        if kind == StatementKind::Replace && self.take_word("OVERWRITE") && !self.take(Kind::All) {
            self.expect(Kind::Where, "ALL or WHERE")?;
            self.expression()?;
            // A query in parentheses went by as a part of the condition.
            if !self.query_begins() {
                let shape = self.set_operands(Shape::Query)?;
                let shape = self.order_and_limit(shape)?;
                return self.ingest_clauses(shape).map(|_| kind);
            }
        }
        if !self.query_begins() {
            return Err(self.unexpected("the query whose rows are written"));
        }
        self.query_begins = Some(self.at);
        self.query(Self::ingest_clauses)?;
        Ok(kind)
    }

    /// `[EXTEND] (name type, ..)` and `(name, ..)`; a query in parentheses, also `(name LIMIT 1)`, is neither.
    fn target_columns(&mut self) -> Read<()> {
        while self.take(Kind::Extend) || self.kind() == Kind::LeftParen && self.is_column_list() {
            self.expect_group()?;
        }
        Ok(())
    }

    fn is_column_list(&self) -> bool {
        let mut ahead = 1;
        while self.peek(ahead).is_name() && self.peek(ahead + 1) == Kind::Dot {
            ahead += 2;
        }
        let after = self.peek(ahead + 1);
        self.peek(ahead).is_name() && !after.begins_limit() && after != Kind::LeftParen
    }

    /// `EXTERN(type(key => 'value', ..))`. Druid: `ExternalDestinationSqlIdentifier`; the type keeps its case.
    fn export(&mut self, kind: StatementKind) -> Read<()> {
        if kind != StatementKind::Insert {
            let message = "REPLACE writes datasources only; write INSERT INTO EXTERN for an export";
            return Err(self.fault(RefusalCode::TargetSchema, message));
        }
        self.advance();
        self.expect(Kind::LeftParen, "(")?;
        let at = self.offset();
        let destination = if self.kind() == Kind::Reserved && self.image().eq_ignore_ascii_case("LOCAL") {
            self.advance();
            "local".into()
        } else {
            self.name()?
        };
        self.note(PlaceRole::Export, at, &destination);
        if self.kind() == Kind::LeftParen {
            self.group()?;
        }
        self.expect(Kind::RightParen, ") after the destination")?;
        self.found.target = Some((ResourceType::External, destination));
        Ok(())
    }

    /// PARTITIONED BY and CLUSTERED BY; the latter becomes an ORDER BY of the query.
    fn ingest_clauses(&mut self, shape: Shape) -> Read<Shape> {
        if self.take(Kind::Partitioned) {
            self.expect(Kind::By, "BY")?;
            self.expression()?;
        }
        if self.take(Kind::Clustered) {
            self.expect(Kind::By, "BY")?;
            self.expressions()?;
        }
        Ok(shape)
    }
}
