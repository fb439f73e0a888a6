//! Functions: those that read tables, and the arguments of all.

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments,
    HavingBound, Ident, ListAggOnOverflow, ObjectName, ObjectNamePart, Value, ValueWithSpan, WindowFrame,
    WindowFrameBound, WindowSpec, WindowType,
};

use super::Walk;

impl<'a> Walk<'a> {
    pub(super) fn function(&mut self, function: &'a Function) {
        let Function { name, uses_odbc_syntax: _, parameters, args, within_group, filter, null_treatment: _, over } =
            function;
        for arguments in [parameters, args] {
            match arguments {
                FunctionArguments::None => {}
                FunctionArguments::Subquery(query) => self.query(query),
                FunctionArguments::List(list) => self.argument_list(name, list),
            }
        }
        self.order_list(within_group);
        self.expressions(filter.iter().map(AsRef::as_ref));
        over.iter().for_each(|window| self.window_type(window));
    }

    fn argument_list(&mut self, name: &'a ObjectName, list: &'a FunctionArgumentList) {
        let FunctionArgumentList { duplicate_treatment: _, args, clauses } = list;
        self.table_function(name, args);
        for clause in clauses {
            match clause {
                FunctionArgumentClause::Where(expr) | FunctionArgumentClause::Having(HavingBound(_, expr)) => {
                    self.expression(expr)
                }
                FunctionArgumentClause::OrderBy(order_by) => self.order_list(order_by),
                // `f(t LIMIT 1)` reads t.
                FunctionArgumentClause::Limit(limit) => {
                    self.expression(limit);
                    args.last().into_iter().for_each(|argument| self.limited(argument));
                }
                FunctionArgumentClause::OnOverflow(ListAggOnOverflow::Truncate { filler, with_count: _ }) => {
                    self.expressions(filler.iter().map(AsRef::as_ref));
                }
                FunctionArgumentClause::OnOverflow(ListAggOnOverflow::Error)
                | FunctionArgumentClause::IgnoreOrRespectNulls(_)
                | FunctionArgumentClause::Separator(_)
                | FunctionArgumentClause::JsonNullClause(_)
                | FunctionArgumentClause::JsonReturningClause(_) => {}
            }
        }
    }

    /// A function with its arguments, in a table's place or elsewhere. Druid finds functions by their names without
    /// regard to case, quoted or not: `DruidOperatorTable`.
    pub(super) fn table_function(&mut self, name: &ObjectName, arguments: &'a [FunctionArg]) {
        if let [ObjectNamePart::Identifier(Ident { value, quote_style: _, span: _ })] = name.0.as_slice() {
            if ["EXTERN", "HTTP", "INLINE", "LOCALFILES"].iter().any(|listed| listed.eq_ignore_ascii_case(value)) {
                self.read_external();
            }
            if value.eq_ignore_ascii_case("APPEND") {
                arguments.iter().for_each(|argument| self.appended(argument));
            }
        }
        self.arguments(arguments);
    }

    pub(super) fn arguments(&mut self, arguments: &'a [FunctionArg]) {
        for argument in arguments {
            match argument {
                FunctionArg::Named { name: _, arg, operator: _ } | FunctionArg::Unnamed(arg) => self.argument(arg),
                FunctionArg::ExprNamed { name, arg, operator: _ } => {
                    self.expression(name);
                    self.argument(arg);
                }
            }
        }
    }

    fn argument(&mut self, argument: &'a FunctionArgExpr) {
        match argument {
            FunctionArgExpr::Expr(expr) => self.expression(expr),
            FunctionArgExpr::WildcardWithOptions(options) => self.wildcard(options),
            FunctionArgExpr::QualifiedWildcard(_) | FunctionArgExpr::Wildcard => {}
        }
    }

    /// Druid: `TableAppendMacro`; no WITH hides what a string names.
    fn appended(&mut self, argument: &FunctionArg) {
        let mut value = expression_of(argument);
        while let Some(Expr::Nested(inner)) = value {
            value = Some(inner);
        }
        if let Some(Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(name), span: _ })) = value {
            self.read_datasource(name);
        }
    }

    fn limited(&mut self, argument: &FunctionArg) {
        match expression_of(argument) {
            Some(Expr::Identifier(name)) => self.read_name(&[name]),
            Some(Expr::CompoundIdentifier(names)) => self.read_name(&names.iter().collect::<Vec<_>>()),
            Some(_) | None => {}
        }
    }

    fn window_type(&mut self, window: &'a WindowType) {
        match window {
            WindowType::WindowSpec(window) => self.window(window),
            WindowType::NamedWindow(_) => {}
        }
    }

    pub(super) fn window(&mut self, window: &'a WindowSpec) {
        let WindowSpec { window_name: _, partition_by, order_by, window_frame } = window;
        self.expressions(partition_by);
        self.order_list(order_by);
        if let Some(WindowFrame { units: _, start_bound, end_bound }) = window_frame {
            for bound in std::iter::once(start_bound).chain(end_bound) {
                match bound {
                    WindowFrameBound::CurrentRow => {}
                    WindowFrameBound::Preceding(expr) | WindowFrameBound::Following(expr) => {
                        self.expressions(expr.iter().map(AsRef::as_ref));
                    }
                }
            }
        }
    }
}

fn expression_of(argument: &FunctionArg) -> Option<&Expr> {
    let (FunctionArg::Named { name: _, arg, operator: _ }
    | FunctionArg::ExprNamed { name: _, arg, operator: _ }
    | FunctionArg::Unnamed(arg)) = argument;
    match arg {
        FunctionArgExpr::Expr(expr) => Some(expr),
        FunctionArgExpr::QualifiedWildcard(_) | FunctionArgExpr::Wildcard | FunctionArgExpr::WildcardWithOptions(_) => {
            None
        }
    }
}
