//! The FROM clause: every place where a table stands by its name.

use super::{Read, Reader, Shape};
use crate::sql::refusal::RefusalCode;
use crate::sql::system::Form;
use crate::sql::token::Kind;

impl Reader<'_> {
    /// `FromClause`: tables with commas and joins between them, and what joins are on.
    pub(super) fn tables_and_joins(&mut self) -> Read<()> {
        self.table_reference()?;
        loop {
            match self.kind() {
                Kind::Comma => {
                    self.advance();
                    self.table_reference()?;
                }
                Kind::On => {
                    self.advance();
                    self.expression()?;
                }
                Kind::Using => {
                    self.advance();
                    self.expect_group()?;
                }
                _ if self.take_join()? => self.table_reference()?,
                _ => return Ok(()),
            }
        }
    }

    /// `JoinType` and JOIN, or APPLY, which Druid refuses.
    fn take_join(&mut self) -> Read<bool> {
        let start = self.at;
        while matches!(
            self.kind(),
            Kind::Natural | Kind::Inner | Kind::Left | Kind::Right | Kind::Full | Kind::Outer | Kind::Cross
        ) {
            self.advance();
        }
        if self.take(Kind::Join) || (self.at > start && self.take_word("APPLY")) {
            return Ok(true);
        }
        if self.at > start { Err(self.unexpected("JOIN")) } else { Ok(false) }
    }

    /// `TableRef`
    fn table_reference(&mut self) -> Read<()> {
        self.take(Kind::Lateral);
        match self.kind() {
            Kind::LeftParen => self.query_or_join_group()?,
            Kind::Unnest => {
                self.advance();
                self.expect_group()?;
                if self.take(Kind::With) && !self.take_word("ORDINALITY") {
                    return Err(self.unexpected("ORDINALITY"));
                }
            }
            Kind::Table => self.table_function()?,
            Kind::Parameter => {
                let message = "a parameter cannot stand for a table; write its name";
                return Err(self.fault(RefusalCode::ParameterAsName, message));
            }
            kind if kind.is_name() => self.named_table()?,
            _ => return Err(self.unexpected("a table, a table function or a query in parentheses")),
        }
        self.table_suffixes()
    }

    /// A query or a join in parentheses. Calcite: `ExprOrJoinOrOrderedQuery`; up to Druid 27 a query only.
    pub(super) fn query_or_join_group(&mut self) -> Read<()> {
        self.enter()?;
        self.expect(Kind::LeftParen, "( and a query")?;
        let of_table = self.kind() == Kind::Table && self.peek(1) == Kind::LeftParen;
        if self.kind().begins_query() && !of_table {
            self.ordered_query()?;
        } else {
            self.tables_and_joins()?;
            let shape = self.set_operands(Shape::Query)?;
            self.order_and_limit(shape)?;
        }
        self.expect(Kind::RightParen, ") after the query")?;
        self.leave();
        Ok(())
    }

    /// A table by its name, or a table function without TABLE, which Druid 30 and newer take.
    fn named_table(&mut self) -> Read<()> {
        let path = self.path()?;
        if self.kind() != Kind::LeftParen {
            let form = if self.has_own_name() { Form::Plain } else { Form::Aliased };
            return self.read_table(path, form);
        }
        self.table_call(&path)
    }

    /// The table before the next token has no alias but its name, and could have one here. (TABLESAMPLE follows aliases.)
    fn has_own_name(&self) -> bool {
        let next = self.kind();
        !next.is_name() && !matches!(next, Kind::As | Kind::Extend | Kind::MatchRecognize | Kind::For | Kind::Over)
    }

    /// `TABLE ( f(..) ) [EXTEND] (columns)`
    fn table_function(&mut self) -> Read<()> {
        self.advance();
        self.expect(Kind::LeftParen, "( and a table function after TABLE")?;
        self.take(Kind::Specific);
        let path = self.path()?;
        if self.kind() != Kind::LeftParen {
            return Err(self.unexpected("the arguments of the table function in parentheses"));
        }
        self.table_call(&path)?;
        self.expect(Kind::RightParen, ") after the table function")?;
        if self.kind() == Kind::LeftParen {
            self.group()?;
        }
        Ok(())
    }

    /// What may follow a table, in whichever order: none of it takes the table away.
    fn table_suffixes(&mut self) -> Read<()> {
        let mut named = false;
        loop {
            match self.kind() {
                Kind::Extend | Kind::MatchRecognize => {
                    self.advance();
                    self.expect_group()?;
                }
                // Expressions, which take an alias after them along.
                Kind::For | Kind::Over | Kind::Tablesample => {
                    self.advance();
                    self.expression()?;
                }
                // An alias for Druid 27, the beginning of a clause for newer ones: read as both.
                Kind::Qualify => {
                    named = true;
                    self.advance();
                    self.expression()?;
                }
                Kind::As => {
                    self.advance();
                    self.alias(&mut named)?;
                }
                kind if kind.is_name() && self.takes_pivot() => self.expect_group()?,
                kind if kind.is_name() => self.alias(&mut named)?,
                _ => return Ok(()),
            }
        }
    }

    /// `PIVOT (`, `UNPIVOT [INCLUDE | EXCLUDE NULLS] (`: operators since Druid 30, aliases with columns before.
    fn takes_pivot(&mut self) -> bool {
        let nulls = (self.is_word(1, "INCLUDE") || self.is_word(1, "EXCLUDE")) && self.is_word(0, "UNPIVOT");
        let plain = self.peek(1) == Kind::LeftParen && (self.is_word(0, "PIVOT") || self.is_word(0, "UNPIVOT"));
        for _ in 0..if nulls { 3 } else { usize::from(plain) } {
            self.advance();
        }
        nulls || plain
    }

    fn alias(&mut self, named: &mut bool) -> Read<()> {
        if std::mem::replace(named, true) {
            return Err(self.unexpected("a comma, a join or the next clause after this table's alias"));
        }
        self.name()?;
        if self.kind() == Kind::LeftParen {
            self.group()?;
        }
        Ok(())
    }
}
