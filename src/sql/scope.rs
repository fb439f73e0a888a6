//! Which names stand for a query of an enclosing WITH.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// The names of common table expressions that can be seen at a place of the text.
///
/// A name becomes visible after its own definition and stays so until its WITH ends. Which definition a name finds
/// makes no difference here, so shadowing is a count. Calcite: `WithScope`; names are compared exactly.
#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
    visible: BTreeMap<Cow<'a, str>, usize>,
    order: Vec<Cow<'a, str>>,
    /// Those that were forgotten last, the last of them first.
    forgotten: Vec<Cow<'a, str>>,
}

/// A state to return to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(usize);

impl<'a> Scope<'a> {
    pub(super) fn contains(&self, name: &str) -> bool {
        !self.visible.is_empty() && self.visible.contains_key(name)
    }

    pub(super) fn define(&mut self, name: Cow<'a, str>) {
        *self.visible.entry(name.clone()).or_insert(0) += 1;
        self.order.push(name);
    }

    pub(super) const fn mark(&self) -> Mark {
        Mark(self.order.len())
    }

    /// Forgets what was defined since `mark`.
    pub(super) fn return_to(&mut self, mark: Mark) {
        if self.order.len() > mark.0 {
            self.forgotten.clear();
        }
        while self.order.len() > mark.0 {
            let Some(name) = self.order.pop() else { return };
            if let Some(count) = self.visible.get_mut(&name) {
                *count -= 1;
                if *count == 0 {
                    self.visible.remove(&name);
                }
            }
            self.forgotten.push(name);
        }
    }

    /// Defines again what was forgotten last.
    pub(super) fn reopen(&mut self) {
        while let Some(name) = self.forgotten.pop() {
            self.define(name);
        }
    }
}
