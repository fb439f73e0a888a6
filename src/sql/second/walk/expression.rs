//! Expressions, each of which may hold queries.

use sqlparser::ast::{
    AccessExpr, Array, CaseWhen, DictionaryField, Expr, InTarget, Interval, JsonPath, JsonPathElem, LambdaFunction,
    Map, MapEntry, MemberOf, Subscript,
};

use super::Walk;

impl<'a> Walk<'a> {
    pub(super) fn expressions(&mut self, expressions: impl IntoIterator<Item = &'a Expr>) {
        expressions.into_iter().for_each(|expression| self.expression(expression));
    }

    /// Looks at an expression and all within it, deep as it may be.
    pub(super) fn expression(&mut self, expression: &'a Expr) {
        let others = self.pending.len();
        self.pending.push(expression);
        while self.pending.len() > others
            && let Some(next) = self.pending.pop()
        {
            self.outer_expression(next);
        }
    }

    /// Looks at an expression but for those that it is made of, which are to follow.
    fn outer_expression(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Identifier(_)
            | Expr::CompoundIdentifier(_)
            | Expr::Value(_)
            | Expr::TypedString(_)
            | Expr::MatchAgainst { columns: _, match_value: _, opt_search_modifier: _ }
            | Expr::Wildcard(_)
            | Expr::QualifiedWildcard(_, _) => {}
            Expr::IsFalse(expr)
            | Expr::IsNotFalse(expr)
            | Expr::IsTrue(expr)
            | Expr::IsNotTrue(expr)
            | Expr::IsNull(expr)
            | Expr::IsNotNull(expr)
            | Expr::IsUnknown(expr)
            | Expr::IsNotUnknown(expr)
            | Expr::Nested(expr)
            | Expr::OuterJoin(expr)
            | Expr::Prior(expr)
            | Expr::IsJson { expr, kind: _, unique_keys: _, negated: _ }
            | Expr::IsNormalized { expr, form: _, negated: _ }
            | Expr::UnaryOp { op: _, expr }
            | Expr::Cast { kind: _, expr, data_type: _, format: _ }
            | Expr::Extract { field: _, syntax: _, expr }
            | Expr::Ceil { expr, field: _ }
            | Expr::Floor { expr, field: _ }
            | Expr::Collate { expr, collation: _ }
            | Expr::Prefixed { prefix: _, value: expr }
            | Expr::Named { expr, name: _ }
            | Expr::Interval(Interval {
                value: expr,
                leading_field: _,
                leading_precision: _,
                last_field: _,
                fractional_seconds_precision: _,
            })
            | Expr::Lambda(LambdaFunction { params: _, body: expr, syntax: _ }) => self.pending.push(expr),
            Expr::IsDistinctFrom(left, right)
            | Expr::IsNotDistinctFrom(left, right)
            | Expr::BinaryOp { left, op: _, right }
            | Expr::AnyOp { left, compare_op: _, right, is_some: _ }
            | Expr::AllOp { left, compare_op: _, right }
            | Expr::RLike { negated: _, expr: left, pattern: right, regexp: _ }
            | Expr::AtTimeZone { timestamp: left, time_zone: right }
            | Expr::Position { expr: left, r#in: right }
            | Expr::MemberOf(MemberOf { value: left, array: right }) => self.follow([left, right]),
            Expr::Between { expr, negated: _, low, high } => self.follow([expr, low, high]),
            Expr::Like { negated: _, any: _, expr, pattern, escape_char }
            | Expr::ILike { negated: _, any: _, expr, pattern, escape_char }
            | Expr::SimilarTo { negated: _, expr, pattern, escape_char } => {
                self.follow([expr, pattern].into_iter().chain(escape_char));
            }
            Expr::Substring { expr, substring_from, substring_for, special: _, shorthand: _ } => {
                self.follow([expr].into_iter().chain(substring_from).chain(substring_for));
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                self.follow([expr, overlay_what, overlay_from].into_iter().chain(overlay_for));
            }
            Expr::Trim { trim_where: _, trim_what, expr, trim_characters } => {
                self.follow([expr].into_iter().chain(trim_what));
                self.pending.extend(trim_characters.iter().flatten());
            }
            Expr::Convert { is_try: _, expr, data_type: _, charset: _, target_before_value: _, styles } => {
                self.pending.push(expr);
                self.pending.extend(styles);
            }
            Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
                self.follow(operand.iter().chain(else_result));
                for CaseWhen { condition, result } in conditions {
                    self.pending.extend([condition, result]);
                }
            }
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                self.pending.extend(sets.iter().flatten());
            }
            Expr::Tuple(list)
            | Expr::Struct { values: list, fields: _ }
            | Expr::Array(Array { elem: list, named: _ }) => self.pending.extend(list),
            Expr::Dictionary(fields) => {
                self.follow(fields.iter().map(|DictionaryField { key: _, value }| value));
            }
            Expr::Map(Map { entries }) => {
                entries.iter().for_each(|MapEntry { key, value }| self.follow([key, value]));
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                self.pending.push(root);
                access_chain.iter().for_each(|access| self.access(access));
            }
            Expr::JsonAccess { value, path } => {
                self.pending.push(value);
                self.json_path(path);
            }
            Expr::In { expr, target, negated: _, global: _ } => {
                self.pending.push(expr);
                self.in_target(target);
            }
            Expr::Exists { subquery, negated: _ } | Expr::Subquery(subquery) => self.query(subquery),
            Expr::Function(function) => self.function(function),
        }
    }

    fn follow(&mut self, expressions: impl IntoIterator<Item = &'a Box<Expr>>) {
        self.pending.extend(expressions.into_iter().map(AsRef::as_ref));
    }

    fn access(&mut self, access: &'a AccessExpr) {
        match access {
            AccessExpr::Dot(expr) | AccessExpr::Subscript(Subscript::Index { index: expr }) => self.pending.push(expr),
            AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride }) => {
                self.pending.extend(lower_bound.iter().chain(upper_bound).chain(stride));
            }
        }
    }

    pub(super) fn json_path(&mut self, JsonPath { path }: &'a JsonPath) {
        for element in path {
            match element {
                JsonPathElem::Dot { key: _, quoted: _ } => {}
                JsonPathElem::Bracket { key } | JsonPathElem::ColonBracket { key } => self.expression(key),
            }
        }
    }

    fn in_target(&mut self, target: &'a InTarget) {
        match target {
            InTarget::List(list) => self.pending.extend(list),
            InTarget::Subquery(query) => self.query(query),
            InTarget::Unnest(expr) => self.pending.push(expr),
            InTarget::Table { name, args: None } => self.read_table(name),
            InTarget::Table { name, args: Some(arguments) } => self.table_function(name, arguments),
        }
    }
}
