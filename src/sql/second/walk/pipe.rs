//! Pipe operators, which Druid has not and `sqlparser` parses for some dialects only.

use sqlparser::ast::{Assignment, ExprWithAlias, ExprWithAliasAndOrderBy, PipeOperator};

use super::Walk;

impl<'a> Walk<'a> {
    pub(super) fn pipe_operator(&mut self, operator: &'a PipeOperator) {
        match operator {
            PipeOperator::Limit { expr, offset } => self.expressions(std::iter::once(expr).chain(offset)),
            PipeOperator::Where { expr } => self.expression(expr),
            PipeOperator::OrderBy { exprs } => self.order_list(exprs),
            PipeOperator::Select { exprs } | PipeOperator::Extend { exprs } => {
                exprs.iter().for_each(|item| self.select_item(item));
            }
            PipeOperator::Set { assignments } => {
                assignments.iter().for_each(|Assignment { target: _, value }| self.expression(value));
            }
            PipeOperator::Aggregate { full_table_exprs, group_by_expr } => {
                for ExprWithAliasAndOrderBy { expr, order_by: _ } in full_table_exprs.iter().chain(group_by_expr) {
                    let ExprWithAlias { expr, alias: _ } = expr;
                    self.expression(expr);
                }
            }
            PipeOperator::TableSample { sample } => self.sample(sample),
            PipeOperator::Union { set_quantifier: _, queries }
            | PipeOperator::Intersect { set_quantifier: _, queries }
            | PipeOperator::Except { set_quantifier: _, queries } => {
                queries.iter().for_each(|query| self.query(query));
            }
            PipeOperator::Call { function, alias: _ } => self.function(function),
            PipeOperator::Pivot { aggregate_functions, value_column: _, value_source, alias: _ } => {
                self.aliased(aggregate_functions);
                self.pivot_source(value_source);
            }
            PipeOperator::Join(join) => self.join(join),
            PipeOperator::Drop { columns: _ }
            | PipeOperator::As { alias: _ }
            | PipeOperator::Rename { mappings: _ }
            | PipeOperator::Unpivot { value_column: _, name_column: _, unpivot_columns: _, alias: _ } => {}
        }
    }
}
