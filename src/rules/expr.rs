//! CEL expressions: the only file that names `cel`, so that a breaking release of it costs one file.
//!
//! A fact that is not known is an absent key. CEL absorbs errors like Kleene's third value (`true || error` is true), so an expression that
//! ends in "no such key" is unknown, and one that does not need the key is not. The table below must stay true.

use std::collections::BTreeSet;
use std::sync::Arc;

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};
use cel::{Context, Env, ExecutionError, Program, Value};

/// The longest source of an expression, in bytes: a rule that needs more is a missing fact.
const LONGEST_SOURCE: usize = 2048;
/// The deepest nesting: evaluation recurses.
const DEEPEST: usize = 48;

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Expression {
    program: Program,
    tree: Node,
}

/// An expression that does not compile, with the byte where it goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) at: usize,
    pub(super) message: String,
}

/// The value of an expression over facts some of which are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    False,
    Unknown,
}

/// The facts, converted once for all rules.
pub(super) struct Scope(Context<'static, 'static>);

impl Scope {
    pub(super) fn new(facts: &serde_json::Value) -> Result<Self, String> {
        let mut context = Context::with_env(Arc::new(Env::stdlib()));
        for (name, value) in facts.as_object().into_iter().flatten() {
            let value = cel::to_value(value).map_err(|error| error.to_string())?;
            context.add_variable_from_value(name.clone(), value);
        }
        Ok(Self(context))
    }
}

impl Expression {
    /// Compiles a source. Call it on a thread with a large stack: the parser recurses.
    pub(super) fn compile(source: &str) -> Result<Self, Mistake> {
        if source.len() > LONGEST_SOURCE {
            return Err(Mistake {
                at: 0,
                message: format!("the expression is longer than {LONGEST_SOURCE} bytes: move the reasoning into a fact"),
            });
        }
        let program = Program::compile(source).map_err(|errors| {
            let first = errors.errors.first();
            let (line, column) = first.map_or((1, 0), |error| error.pos);
            let before: usize = source.split_inclusive('\n').take(usize::try_from(line - 1).unwrap_or(0)).map(str::len).sum();
            let at = before + usize::try_from(column).unwrap_or(0);
            Mistake { at, message: first.map_or_else(|| "not an expression".to_owned(), |error| error.msg.clone()) }
        })?;
        let tree = Node::of(&program, program.expression(), 0)?;
        Ok(Self { program, tree })
    }

    pub(super) fn tree(&self) -> &Node {
        &self.tree
    }

    /// Evaluates the expression.
    ///
    /// # Errors
    /// When the value is no truth value, or the evaluation fails for another reason than a missing fact.
    pub(super) fn evaluate(&self, scope: &Scope) -> Result<Truth, String> {
        match self.program.execute(&scope.0) {
            Ok(Value::Bool(true)) => Ok(Truth::True),
            Ok(Value::Bool(false)) => Ok(Truth::False),
            Ok(other) => Err(format!("the expression is {other:?}, neither true nor false")),
            Err(ExecutionError::NoSuchKey(_)) => Ok(Truth::Unknown),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// An expression's shape, as far as the linter needs it, free of the library's types.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The byte of the source where the node stands.
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// A variable and the members selected from it: `agent.ping`.
    Path(Vec<String>),
    Text(String),
    Number,
    Truth,
    List(Vec<Node>),
    /// An operator or a function; a method's receiver is the first argument.
    Call(String, Vec<Node>),
    /// `map[key]`
    Index(Box<Node>, Box<Node>),
    /// `range.exists(variable, …)` and its kin: the parts are the macro's own expressions.
    Macro {
        range: Box<Node>,
        variable: String,
        own: Vec<String>,
        parts: Vec<Node>,
    },
    Unsupported(&'static str),
}

impl Node {
    fn of(program: &Program, expression: &IdedExpr, depth: usize) -> Result<Self, Mistake> {
        let at = program.source_info().offset_for(expression.id).and_then(|(start, _)| usize::try_from(start).ok()).unwrap_or(0);
        if depth > DEEPEST {
            return Err(Mistake { at, message: "the expression is nested too deeply: move the reasoning into a fact".to_owned() });
        }
        let of = |expression: &IdedExpr| Self::of(program, expression, depth + 1);
        let kind = match &expression.expr {
            Expr::Ident(name) => Kind::Path(vec![name.clone()]),
            Expr::Select(select) if !select.test => match of(&select.operand)? {
                // The whole path stands where its first name does; the library gives the place of the last dot.
                Self { at, kind: Kind::Path(mut members) } => {
                    members.push(select.field.clone());
                    return Ok(Self { at, kind: Kind::Path(members) });
                }
                _ => Kind::Unsupported("a member of something that is no fact"),
            },
            Expr::Select(_) => Kind::Unsupported("has(): an unknown fact makes the answer unknown by itself"),
            Expr::Literal(LiteralValue::String(text)) => Kind::Text(text.inner().to_owned()),
            Expr::Literal(LiteralValue::Boolean(_)) => Kind::Truth,
            Expr::Literal(LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_)) => Kind::Number,
            Expr::List(list) => Kind::List(list.elements.iter().map(of).collect::<Result<_, _>>()?),
            Expr::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
                [map, key] => Kind::Index(Box::new(of(map)?), Box::new(of(key)?)),
                _ => Kind::Unsupported("an index"),
            },
            Expr::Call(call) => {
                Kind::Call(call.func_name.clone(), call.target.as_deref().into_iter().chain(&call.args).map(of).collect::<Result<_, _>>()?)
            }
            Expr::Comprehension(comprehension) => Kind::Macro {
                range: Box::new(of(&comprehension.iter_range)?),
                variable: comprehension.iter_var.clone(),
                own: vec![comprehension.accu_var.clone()],
                parts: vec![of(&comprehension.loop_cond)?, of(&comprehension.loop_step)?, of(&comprehension.result)?],
            },
            Expr::Literal(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => Kind::Unsupported("this kind of value"),
        };
        Ok(Self { at, kind })
    }

    /// The dotted paths of the facts that the expression reads.
    pub(super) fn paths(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        self.collect(&mut Vec::new(), &mut found);
        found
    }

    fn collect(&self, own: &mut Vec<String>, found: &mut BTreeSet<String>) {
        match &self.kind {
            Kind::Path(members) => {
                if !members.first().is_some_and(|first| own.contains(first)) {
                    found.insert(members.join("."));
                }
            }
            Kind::List(parts) | Kind::Call(_, parts) => {
                for part in parts {
                    part.collect(own, found);
                }
            }
            Kind::Index(map, key) => {
                map.collect(own, found);
                key.collect(own, found);
            }
            Kind::Macro { range, variable, own: accumulators, parts } => {
                range.collect(own, found);
                let outer = own.len();
                own.push(variable.clone());
                own.extend(accumulators.iter().cloned());
                for part in parts {
                    part.collect(own, found);
                }
                own.truncate(outer);
            }
            Kind::Text(_) | Kind::Number | Kind::Truth | Kind::Unsupported(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Expression, Scope, Truth};

    /// Kleene's three values: what the whole treatment of unknown facts stands on.
    #[test]
    fn unknown_is_neither_true_nor_false() {
        use Truth::{False, True, Unknown};
        let facts = serde_json::json!({
            "a": {"t": true, "f": false}, "b": {},
            "some": [{"ok": true}, {}], "none": [{"ok": false}, {}], "turned": [{}, {"ok": true}],
        });
        let scope = Scope::new(&facts).unwrap();
        let rows = [
            ("a.t || b.u", True),
            ("b.u || a.t", True),
            ("a.f || b.u", Unknown),
            ("b.u || a.f", Unknown),
            ("a.f && b.u", False),
            ("b.u && a.f", False),
            ("a.t && b.u", Unknown),
            ("b.u && a.t", Unknown),
            ("!b.u", Unknown),
            ("b.u ? a.t : a.f", Unknown),
            ("a.t ? a.t : b.u", True),
            ("b.u == b.u", Unknown),
            ("b.u != b.u", Unknown),
            ("b.u in ['x']", Unknown),
            ("some.exists(e, e.ok)", True),
            ("turned.exists(e, e.ok)", True),
            ("none.exists(e, e.ok)", Unknown),
            ("none.all(e, e.ok)", False),
            ("some.all(e, e.ok)", Unknown),
            ("turned.all(e, e.ok)", Unknown),
            ("a.t && !a.f", True),
        ];
        for (source, expected) in rows {
            assert_eq!(Expression::compile(source).unwrap().evaluate(&scope), Ok(expected), "{source}");
        }
    }

    #[test]
    fn what_is_no_truth_value_is_an_error() {
        let scope = Scope::new(&serde_json::json!({"a": {"n": 1, "s": "x"}})).unwrap();
        for source in ["a.n", "a.s", "1 / 0 == 1", "a.n && true", "nothing"] {
            assert!(Expression::compile(source).unwrap().evaluate(&scope).is_err(), "{source}");
        }
    }

    #[test]
    fn hostile_sources_are_refused() {
        let on_a_large_stack = |source: String| {
            let work = move || Expression::compile(&source).err().map(|mistake| mistake.message);
            std::thread::Builder::new().stack_size(16 << 20).spawn(work).unwrap().join().unwrap()
        };
        assert!(on_a_large_stack("a".repeat(3000)).unwrap().contains("longer than"));
        assert!(on_a_large_stack(format!("{}a", "!(".repeat(60)) + &")".repeat(60)).unwrap().contains("too deeply"));
        assert_eq!(on_a_large_stack(format!("a{}", " || a".repeat(400))), None, "a long chain is balanced by the parser");
        assert!(on_a_large_stack("a &&".to_owned()).is_some());
    }

    #[test]
    fn paths_leave_out_a_macros_own_variables() {
        let expression = Expression::compile("instance.tags.exists(key, key == agent.version) && agent.ping == 'x'").unwrap();
        let paths: Vec<String> = expression.tree().paths().into_iter().collect();
        assert_eq!(paths, ["agent.ping", "agent.version", "instance.tags"]);
    }
}
