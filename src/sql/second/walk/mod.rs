//! A walk through a query that names every kind of node: what `sqlparser` learns to read breaks the build here until
//! somebody has looked at what it could read.
//!
//! No arm is `_` and no pattern leaves a field out. Operands are taken from a list and not by recursion, because
//! `a + a + ..` is as deep as it is long; what else is deep, `sqlparser` has bounded.

#![deny(clippy::wildcard_enum_match_arm)]

use sqlparser::ast::{
    ConnectByKind, Cte, Distinct, Expr, Fetch, GroupByExpr, GroupByWithModifier, Interpolate, InterpolateExpr,
    LateralView, LimitClause, NamedWindowDefinition, NamedWindowExpr, Offset, OrderBy, OrderByExpr, OrderByKind,
    Parens, Query, ReplaceSelectElement, ReplaceSelectItem, Select, SelectInto, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, Setting, Top, TopQuantity, Values, WildcardAdditionalOptions, WithFill,
};

use super::Found;
use crate::sql::scope::Scope;

mod expression;
mod function;
mod names;
mod pipe;
mod relation;

/// What the query reads; nothing if it holds a statement of another kind.
pub(super) fn found(query: &Query) -> Option<Found> {
    let mut walk = Walk { scope: Scope::default(), pending: Vec::new(), found: Found::default(), foreign: false };
    walk.query(query);
    (!walk.foreign).then_some(walk.found)
}

struct Walk<'a> {
    scope: Scope<'a>,
    /// Expressions that are still to be looked at.
    pending: Vec<&'a Expr>,
    found: Found,
    /// It holds INSERT, UPDATE or the like, which Druid has in no query.
    foreign: bool,
}

impl<'a> Walk<'a> {
    /// An ORDER BY over anything but a plain SELECT does not see the WITH before it, which may stand in the parentheses
    /// with that SELECT (Calcite: `SqlValidatorImpl.performUnconditionalRewrites`).
    fn query(&mut self, query: &'a Query) {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks: _,
            for_clause: _,
            settings,
            format_clause: _,
            pipe_operators,
        } = query;
        let mark = self.scope.mark();
        for item in with.iter().flat_map(|with| &with.cte_tables) {
            self.with_item(item);
        }
        self.body(body);
        match plain_select(body) {
            Some(Plain { with: false }) => {}
            Some(Plain { with: true }) if with.is_none() => self.scope.reopen(),
            Some(Plain { with: true }) | None => self.scope.return_to(mark),
        }
        order_by.iter().for_each(|order_by| self.order_by(order_by));
        limit_clause.iter().for_each(|limit| self.limit(limit));
        if let Some(Fetch { with_ties: _, percent: _, quantity }) = fetch {
            self.expressions(quantity);
        }
        self.settings(settings.as_deref());
        pipe_operators.iter().for_each(|operator| self.pipe_operator(operator));
        self.scope.return_to(mark);
    }

    /// Each item sees those before it.
    fn with_item(&mut self, item: &'a Cte) {
        let Cte { alias, query, from, materialized: _, closing_paren_token: _ } = item;
        self.query(query);
        from.iter().for_each(|name| self.read_name(&[name]));
        self.scope.define(alias.name.value.as_str().into());
    }

    /// A chain of set operations leans to the left, and is as long as the statement.
    fn body(&mut self, body: &'a SetExpr) {
        let mut rest = body;
        loop {
            match rest {
                SetExpr::SetOperation { left, op: _, set_quantifier: _, right } => {
                    self.body(right);
                    rest = left;
                }
                SetExpr::Select(select) => return self.select(select),
                SetExpr::Query(query) => return self.query(query),
                SetExpr::Values(Values { explicit_row: _, value_keyword: _, rows }) => {
                    for Parens { opening_token: _, content, closing_token: _ } in rows {
                        self.expressions(content);
                    }
                    return;
                }
                SetExpr::Table(table) => return self.explicit_table(table),
                SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                    self.foreign = true;
                    return;
                }
            }
        }
    }

    fn select(&mut self, select: &'a Select) {
        let Select {
            select_token: _,
            optimizer_hints: _,
            distinct,
            select_modifiers: _,
            top,
            top_before_distinct: _,
            projection,
            exclude: _,
            into,
            from,
            lateral_views,
            prewhere,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify,
            window_before_qualify: _,
            value_table_mode: _,
            flavor: _,
        } = select;
        distinct.iter().for_each(|distinct| self.distinct(distinct));
        top.iter().for_each(|top| self.top(top));
        projection.iter().for_each(|item| self.select_item(item));
        if let Some(SelectInto { temporary: _, unlogged: _, table: _, targets }) = into {
            self.expressions(targets);
        }
        from.iter().for_each(|tables| self.tables(tables));
        for LateralView { lateral_view, lateral_view_name: _, lateral_col_alias: _, outer: _ } in lateral_views {
            self.expression(lateral_view);
        }
        self.expressions(prewhere.iter().chain(selection));
        connect_by.iter().for_each(|kind| self.connect_by(kind));
        self.group_by(group_by);
        self.expressions(cluster_by.iter().chain(distribute_by));
        self.order_list(sort_by);
        self.expressions(having.iter().chain(qualify));
        named_window.iter().for_each(|window| self.named_window(window));
    }

    fn distinct(&mut self, distinct: &'a Distinct) {
        match distinct {
            Distinct::All | Distinct::Distinct => {}
            Distinct::On(expressions) => self.expressions(expressions),
        }
    }

    fn top(&mut self, Top { with_ties: _, percent: _, quantity }: &'a Top) {
        match quantity {
            Some(TopQuantity::Expr(expression)) => self.expression(expression),
            Some(TopQuantity::Constant(_)) | None => {}
        }
    }

    fn connect_by(&mut self, kind: &'a ConnectByKind) {
        match kind {
            ConnectByKind::ConnectBy { connect_token: _, nocycle: _, relationships } => self.expressions(relationships),
            ConnectByKind::StartWith { start_token: _, condition } => self.expression(condition),
        }
    }

    fn select_item(&mut self, item: &'a SelectItem) {
        match item {
            SelectItem::UnnamedExpr(expr)
            | SelectItem::ExprWithAlias { expr, alias: _ }
            | SelectItem::ExprWithAliases { expr, aliases: _ } => self.expression(expr),
            SelectItem::QualifiedWildcard(kind, options) => {
                match kind {
                    SelectItemQualifiedWildcardKind::ObjectName(_) => {}
                    SelectItemQualifiedWildcardKind::Expr(expr) => self.expression(expr),
                }
                self.wildcard(options);
            }
            SelectItem::Wildcard(options) => self.wildcard(options),
        }
    }

    fn wildcard(&mut self, options: &'a WildcardAdditionalOptions) {
        let WildcardAdditionalOptions {
            wildcard_token: _,
            opt_ilike: _,
            opt_exclude: _,
            opt_except: _,
            opt_replace,
            opt_rename: _,
            opt_alias: _,
        } = options;
        if let Some(ReplaceSelectItem { items }) = opt_replace {
            for item in items {
                let ReplaceSelectElement { expr, column_name: _, as_keyword: _ } = item.as_ref();
                self.expression(expr);
            }
        }
    }

    fn group_by(&mut self, group_by: &'a GroupByExpr) {
        let modifiers = match group_by {
            GroupByExpr::All(modifiers) => modifiers,
            GroupByExpr::Expressions(expressions, modifiers) => {
                self.expressions(expressions);
                modifiers
            }
        };
        for modifier in modifiers {
            match modifier {
                GroupByWithModifier::Rollup | GroupByWithModifier::Cube | GroupByWithModifier::Totals => {}
                GroupByWithModifier::GroupingSets(expression) => self.expression(expression),
            }
        }
    }

    fn named_window(&mut self, NamedWindowDefinition(_, window): &'a NamedWindowDefinition) {
        match window {
            NamedWindowExpr::NamedWindow(_) => {}
            NamedWindowExpr::WindowSpec(window) => self.window(window),
        }
    }

    fn order_by(&mut self, OrderBy { kind, interpolate }: &'a OrderBy) {
        match kind {
            OrderByKind::All(_) => {}
            OrderByKind::Expressions(expressions) => self.order_list(expressions),
        }
        if let Some(Interpolate { exprs }) = interpolate {
            for InterpolateExpr { column: _, expr } in exprs.iter().flatten() {
                self.expressions(expr);
            }
        }
    }

    fn order_list(&mut self, list: &'a [OrderByExpr]) {
        for OrderByExpr { expr, options: _, with_fill } in list {
            self.expression(expr);
            if let Some(WithFill { from, to, step }) = with_fill {
                self.expressions(from.iter().chain(to).chain(step));
            }
        }
    }

    fn limit(&mut self, limit: &'a LimitClause) {
        match limit {
            LimitClause::LimitOffset { limit, offset, limit_by } => {
                self.expressions(limit.iter().chain(limit_by));
                offset.iter().for_each(|Offset { value, rows: _ }| self.expression(value));
            }
            LimitClause::OffsetCommaLimit { offset, limit } => self.expressions([offset, limit]),
        }
    }

    fn settings(&mut self, settings: Option<&'a [Setting]>) {
        for Setting { key: _, value } in settings.unwrap_or_default() {
            self.expression(value);
        }
    }
}

/// A SELECT, in parentheses or not, without ORDER BY and LIMIT of its own.
struct Plain {
    /// A WITH stands before it, in its parentheses.
    with: bool,
}

fn plain_select(body: &SetExpr) -> Option<Plain> {
    match body {
        SetExpr::Select(_) | SetExpr::Table(_) => Some(Plain { with: false }),
        SetExpr::Query(query) => {
            let bare = query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
            let inner = plain_select(&query.body).filter(|_| bare)?;
            // Of two WITH one is before no SELECT.
            let twice = inner.with && query.with.is_some();
            (!twice).then_some(Plain { with: inner.with || query.with.is_some() })
        }
        SetExpr::SetOperation { left: _, op: _, set_quantifier: _, right: _ }
        | SetExpr::Values(_)
        | SetExpr::Insert(_)
        | SetExpr::Update(_)
        | SetExpr::Delete(_)
        | SetExpr::Merge(_) => None,
    }
}
