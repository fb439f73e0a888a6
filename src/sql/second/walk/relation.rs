//! The FROM clause.

use sqlparser::ast::{
    Expr, ExprWithAlias, Join, JoinConstraint, JoinOperator, Measure, OrderByExpr, PivotValueSource, SymbolDefinition,
    TableFactor, TableFunctionArgs, TableSample, TableSampleBucket, TableSampleKind, TableSampleQuantity, TableVersion,
    TableWithJoins, XmlNamespaceDefinition, XmlPassingArgument, XmlTableColumn, XmlTableColumnOption,
};

use super::Walk;

impl<'a> Walk<'a> {
    pub(super) fn tables(&mut self, TableWithJoins { relation, joins }: &'a TableWithJoins) {
        self.relation(relation);
        joins.iter().for_each(|join| self.join(join));
    }

    pub(super) fn join(&mut self, Join { relation, global: _, join_operator }: &'a Join) {
        self.relation(relation);
        match join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint)
            | JoinOperator::CrossJoin(constraint)
            | JoinOperator::Semi(constraint)
            | JoinOperator::LeftSemi(constraint)
            | JoinOperator::RightSemi(constraint)
            | JoinOperator::Anti(constraint)
            | JoinOperator::LeftAnti(constraint)
            | JoinOperator::RightAnti(constraint)
            | JoinOperator::StraightJoin(constraint) => self.constraint(constraint),
            JoinOperator::AsOf { match_condition, constraint } => {
                self.expression(match_condition);
                self.constraint(constraint);
            }
            JoinOperator::CrossApply
            | JoinOperator::OuterApply
            | JoinOperator::ArrayJoin
            | JoinOperator::LeftArrayJoin
            | JoinOperator::InnerArrayJoin => {}
        }
    }

    fn constraint(&mut self, constraint: &'a JoinConstraint) {
        match constraint {
            JoinConstraint::On(condition) => self.expression(condition),
            JoinConstraint::Using(_)
            | JoinConstraint::UsingAlias(_, _)
            | JoinConstraint::Natural
            | JoinConstraint::None => {}
        }
    }

    /// PIVOT and its like stand after the table that they take, and so lean to the left.
    fn relation(&mut self, relation: &'a TableFactor) {
        let mut rest = Some(relation);
        while let Some(relation) = rest {
            rest = self.outermost(relation);
        }
    }

    /// Looks at a table but for the one that it is made of, which it gives.
    fn outermost(&mut self, relation: &'a TableFactor) -> Option<&'a TableFactor> {
        match relation {
            TableFactor::Table {
                name,
                alias: _,
                args,
                with_hints,
                version,
                with_ordinality: _,
                partitions: _,
                json_path,
                sample,
                index_directives: _,
                inheritance: _,
            } => {
                match args {
                    Some(TableFunctionArgs { args, settings }) => {
                        self.table_function(name, args);
                        self.settings(settings.as_deref());
                    }
                    None => self.read_table(name),
                }
                self.expressions(with_hints);
                version.iter().for_each(|version| self.version(version));
                json_path.iter().for_each(|path| self.json_path(path));
                sample.iter().for_each(|sample| self.sample_kind(sample));
                None
            }
            TableFactor::Derived { lateral: _, subquery, alias: _, sample } => {
                self.query(subquery);
                sample.iter().for_each(|sample| self.sample_kind(sample));
                None
            }
            TableFactor::TableFunction { expr, alias: _ } => {
                self.expression(expr);
                None
            }
            TableFactor::Function { lateral: _, name, args, with_ordinality: _, alias: _ } => {
                self.table_function(name, args);
                None
            }
            TableFactor::UNNEST { alias: _, array_exprs, with_offset: _, with_offset_alias: _, with_ordinality: _ } => {
                self.expressions(array_exprs);
                None
            }
            TableFactor::JsonTable { json_expr, json_path: _, columns: _, alias: _ }
            | TableFactor::OpenJsonTable { json_expr, json_path: _, columns: _, alias: _ } => {
                self.expression(json_expr);
                None
            }
            TableFactor::NestedJoin { table_with_joins, alias: _ } => {
                self.tables(table_with_joins);
                None
            }
            TableFactor::Pivot {
                table,
                aggregate_functions,
                value_column,
                value_source,
                default_on_null,
                alias: _,
            } => {
                self.aliased(aggregate_functions);
                self.expressions(value_column.iter().chain(default_on_null));
                self.pivot_source(value_source);
                Some(table)
            }
            TableFactor::Unpivot { table, value, name: _, columns, null_inclusion: _, alias: _ } => {
                self.expression(value);
                self.aliased(columns);
                Some(table)
            }
            TableFactor::UnpivotExpr { expression, value_alias: _, attribute_alias: _ } => {
                self.expression(expression);
                None
            }
            TableFactor::MatchRecognize {
                table,
                partition_by,
                order_by,
                measures,
                rows_per_match: _,
                after_match_skip: _,
                pattern: _,
                symbols,
                alias: _,
            } => {
                self.match_recognize(partition_by, order_by, measures, symbols);
                Some(table)
            }
            TableFactor::XmlTable { namespaces, row_expression, passing, columns, alias: _ } => {
                namespaces.iter().for_each(|XmlNamespaceDefinition { uri, name: _ }| self.expression(uri));
                self.expression(row_expression);
                for XmlPassingArgument { expr, alias: _, by_value: _ } in &passing.arguments {
                    self.expression(expr);
                }
                columns.iter().for_each(|column| self.xml_column(column));
                None
            }
            TableFactor::SemanticView { name, dimensions, metrics, facts, where_clause, alias: _ } => {
                self.read_table(name);
                self.expressions(dimensions.iter().chain(metrics).chain(facts).chain(where_clause));
                None
            }
        }
    }

    fn match_recognize(
        &mut self,
        partition_by: &'a [Expr],
        order_by: &'a [OrderByExpr],
        measures: &'a [Measure],
        symbols: &'a [SymbolDefinition],
    ) {
        self.expressions(partition_by);
        self.order_list(order_by);
        measures.iter().for_each(|Measure { expr, alias: _ }| self.expression(expr));
        symbols.iter().for_each(|SymbolDefinition { symbol: _, definition }| self.expression(definition));
    }

    pub(super) fn aliased(&mut self, list: &'a [ExprWithAlias]) {
        list.iter().for_each(|ExprWithAlias { expr, alias: _ }| self.expression(expr));
    }

    pub(super) fn pivot_source(&mut self, source: &'a PivotValueSource) {
        match source {
            PivotValueSource::List(list) => self.aliased(list),
            PivotValueSource::Any(order_by) => self.order_list(order_by),
            PivotValueSource::Subquery(query) => self.query(query),
        }
    }

    fn xml_column(&mut self, XmlTableColumn { name: _, option }: &'a XmlTableColumn) {
        match option {
            XmlTableColumnOption::NamedInfo { r#type: _, path, default, nullable: _ } => {
                self.expressions(path.iter().chain(default));
            }
            XmlTableColumnOption::ForOrdinality => {}
        }
    }

    fn version(&mut self, version: &'a TableVersion) {
        match version {
            TableVersion::ForSystemTimeAsOf(expr)
            | TableVersion::TimestampAsOf(expr)
            | TableVersion::VersionAsOf(expr)
            | TableVersion::Function(expr) => self.expression(expr),
            TableVersion::Changes { changes, at, end } => self.expressions([changes, at].into_iter().chain(end)),
        }
    }

    fn sample_kind(&mut self, sample: &'a TableSampleKind) {
        match sample {
            TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample) => self.sample(sample),
        }
    }

    pub(super) fn sample(&mut self, sample: &'a TableSample) {
        let TableSample { modifier: _, name: _, quantity, seed: _, bucket, offset } = sample;
        if let Some(TableSampleQuantity { parenthesized: _, value, unit: _ }) = quantity {
            self.expression(value);
        }
        if let Some(TableSampleBucket { bucket: _, total: _, on }) = bucket {
            self.expressions(on);
        }
        self.expressions(offset);
    }
}
