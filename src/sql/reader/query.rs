//! Queries: WITH, SELECT, VALUES, TABLE, set operations, ORDER BY, LIMIT.

use super::{Read, Reader, Shape};
use crate::sql::refusal::RefusalCode;
use crate::sql::system::Form;
use crate::sql::token::Kind;

impl Reader<'_> {
    /// `OrderedQueryOrExpr`
    pub(super) fn ordered_query(&mut self) -> Read<Shape> {
        self.query(|_, shape| Ok(shape))
    }

    /// A query or an expression with its ORDER BY and LIMIT; `tail` reads what follows these in the same scope.
    ///
    /// Calcite makes `SELECT * FROM (WITH ..) ORDER BY ..` of an ORDER BY over anything but a plain SELECT
    /// (`SqlValidatorImpl.performUnconditionalRewrites`), and then its sub-queries do not see the WITH. Parentheses
    /// around the query make no difference to that.
    pub(super) fn query(&mut self, tail: fn(&mut Self, Shape) -> Read<Shape>) -> Read<Shape> {
        let mark = self.scope.mark();
        let with = self.with_list()?;
        let body = self.set_operation()?;
        match body {
            Shape::Select => {}
            Shape::WithSelect if !with => self.scope.reopen(),
            Shape::WithSelect | Shape::Query | Shape::Name(_) | Shape::Other => self.scope.return_to(mark),
        }
        let ordered = self.order_and_limit(body)?;
        if ordered != body {
            self.scope.return_to(mark);
        }
        let shape = tail(self, ordered)?;
        self.scope.return_to(mark);
        Ok(match shape {
            Shape::Select if with => Shape::WithSelect,
            _ if with => Shape::Query,
            shape => shape,
        })
    }

    /// `WithList`: each item sees those before it.
    fn with_list(&mut self) -> Read<bool> {
        if !self.take(Kind::With) {
            return Ok(false);
        }
        if self.kind() == Kind::Recursive {
            let message = "Druid does not run WITH RECURSIVE; write WITH without RECURSIVE";
            return Err(self.fault(RefusalCode::Recursive, message));
        }
        loop {
            let name = self.name()?;
            if self.kind() == Kind::LeftParen {
                self.group()?;
            }
            self.expect(Kind::As, "AS and a query in parentheses")?;
            self.query_or_join_group()?;
            self.scope.define(name);
            if !self.take(Kind::Comma) {
                return Ok(true);
            }
        }
    }

    /// Leaves with UNION, INTERSECT, EXCEPT between them.
    fn set_operation(&mut self) -> Read<Shape> {
        let first = self.leaf()?;
        self.set_operands(first)
    }

    /// What follows the first leaf of a set operation.
    pub(super) fn set_operands(&mut self, first: Shape) -> Read<Shape> {
        let mut shape = first;
        while self.kind().is_set_operator() {
            if !shape.is_query() {
                return Err(self.unexpected("a query before the set operation, or end the expression"));
            }
            self.advance();
            if matches!(self.kind(), Kind::All | Kind::Distinct) {
                self.advance();
            }
            if !self.leaf()?.is_query() {
                return Err(self.unexpected("a query on both sides of the set operation"));
            }
            shape = Shape::Query;
        }
        Ok(shape)
    }

    /// `LeafQueryOrExpr`
    pub(super) fn leaf(&mut self) -> Read<Shape> {
        match self.kind() {
            Kind::Select => self.select().map(|()| Shape::Select),
            Kind::Values => {
                self.advance();
                self.expressions().map(|()| Shape::Query)
            }
            Kind::Table => {
                let form = Form::Explicit(self.offset(), self.offset() + self.image().len());
                self.advance();
                let path = self.path()?;
                self.read_table(path, form).map(|()| Shape::Select)
            }
            _ => self.expression_leaf(),
        }
    }

    /// An expression; groups around a query or a name do not change what it is.
    fn expression_leaf(&mut self) -> Read<Shape> {
        let start = self.at;
        if self.kind() == Kind::LeftParen {
            let shape = self.group()?;
            let end = self.at;
            self.expression()?;
            return Ok(if self.at == end { shape } else { Shape::Other });
        }
        self.expression()?;
        Ok(if self.is_path(start) { Shape::Name(start) } else { Shape::Other })
    }

    fn select(&mut self) -> Read<()> {
        self.advance();
        self.take(Kind::Stream);
        self.expressions()?;
        if self.take(Kind::From) {
            self.tables_and_joins()?;
        }
        self.clauses()
    }

    /// WHERE, GROUP BY, HAVING, WINDOW, QUALIFY. Only the lists of GROUP BY and WINDOW hold commas; a comma after any
    /// other clause belongs to who encloses the query: `f(SELECT x FROM t WHERE y, u LIMIT 1)`.
    fn clauses(&mut self) -> Read<()> {
        let mut list = false;
        loop {
            match self.kind() {
                Kind::Where | Kind::Having => list = false,
                Kind::Group | Kind::Window => list = true,
                Kind::Comma if list => {}
                _ => return Ok(()),
            }
            self.advance();
            let start = self.at;
            self.expression()?;
            let passed = self.tokens.get(start..self.at).unwrap_or_default();
            // Here QUALIFY is a column for Druid 27, and for newer ones a clause after which the list has ended.
            if list && self.kind() == Kind::Comma && passed.iter().any(|token| token.kind == Kind::Qualify) {
                return Err(self.unexpected(
                    "nothing after QUALIFY and its condition, or \"QUALIFY\" in quotes if it is a column",
                ));
            }
        }
    }

    /// `OrderByLimitOpt`. A LIMIT after a name makes a table of it: `( wiki LIMIT 1 )` is
    /// `( SELECT * FROM wiki LIMIT 1 )`.
    pub(super) fn order_and_limit(&mut self, shape: Shape) -> Read<Shape> {
        let mut after = shape;
        if self.kind() == Kind::Order && shape.is_query() {
            self.advance();
            self.expect(Kind::By, "BY")?;
            self.expressions()?;
            after = Shape::Query;
        }
        if !self.kind().begins_limit() {
            return Ok(after);
        }
        match after {
            Shape::Select | Shape::WithSelect | Shape::Query => {}
            Shape::Name(start) => self.read_implicit_table(start)?,
            Shape::Other => return Err(self.unexpected("a query before the limit")),
        }
        self.limits()?;
        Ok(Shape::Query)
    }

    fn read_implicit_table(&mut self, start: usize) -> Read<()> {
        let end = std::mem::replace(&mut self.at, start);
        let path = self.path()?;
        self.read_table(path, Form::Implicit)?;
        self.at = end;
        Ok(())
    }

    /// `LIMIT n`, `OFFSET n ROWS`, `FETCH FIRST n ROWS ONLY`, in any order.
    fn limits(&mut self) -> Read<()> {
        while self.kind().begins_limit() {
            self.advance();
            while matches!(self.kind(), Kind::Number | Kind::Parameter | Kind::All | Kind::Row)
                || self.is_word(0, "FIRST")
                || self.kind() == Kind::Reserved
                    && ["NEXT", "ROWS", "ONLY"].iter().any(|word| self.image().eq_ignore_ascii_case(word))
            {
                self.advance();
            }
        }
        Ok(())
    }
}
