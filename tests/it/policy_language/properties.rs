//! Laws that hold for any policies, and agreement with the second evaluator, on random ones.

use std::collections::BTreeMap;

use patch_preflight::policy_language::{
    Context, Decision, KeyValue, Layers, Policies, Policy, Principal, Request, Resource, Verdict, evaluate,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::cases::{ACCOUNT, ROLE, SESSION, word};
use super::dumb::{self, Who, World};

const ELSEWHERE: &str = "444455556666";
const KEYS: [&str; 3] = ["aws:PrincipalTag/team", "aws:TagKeys", "aws:SourceArn"];
/// What a key may be when it is not known, and among the values that policies name.
const VALUES: [&str; 4] = ["bucket-1", "red", "arn:aws:iam::111122223333:role/red", "arn:aws:sns:eu-west-1:111122223333:topic"];

/// Policies as documents, by layer, and a request.
#[derive(Debug, Clone)]
struct Scene {
    identity: Vec<Value>,
    boundary: Option<Vec<Value>>,
    session: Option<Vec<Value>>,
    service_control: Vec<Vec<Value>>,
    resource_control: Vec<Vec<Value>>,
    resource: Option<Vec<Value>>,
    endpoint: Option<Vec<Value>>,
    action: &'static str,
    /// A pattern and resources of its form; one resource that is the pattern means that it is known.
    on: (&'static str, Vec<&'static str>),
    owner: Option<&'static str>,
    context: BTreeMap<&'static str, Option<Vec<&'static str>>>,
}

fn policies(documents: &[Value]) -> Policies {
    Policies::Known(documents.iter().map(|document| Policy::parse(document["Id"].as_str().unwrap(), document)).collect())
}

impl Scene {
    fn layers(&self) -> Layers {
        let layer = |documents: &Option<Vec<Value>>| documents.as_ref().map_or(Policies::None, |documents| policies(documents));
        Layers {
            identity: policies(&self.identity),
            boundary: layer(&self.boundary),
            session: layer(&self.session),
            service_control: self.service_control.iter().map(|level| policies(level)).collect(),
            resource_control: self.resource_control.iter().map(|level| policies(level)).collect(),
            resource: layer(&self.resource),
            endpoint: layer(&self.endpoint),
        }
    }

    fn decide(&self) -> Decision {
        self.decide_with(&self.layers())
    }

    fn decide_with(&self, layers: &Layers) -> Decision {
        let mut context = Context::new();
        for (key, values) in &self.context {
            let values = values.as_ref().map(|values| values.iter().map(|value| (*value).to_owned()).collect());
            context.set(key, values.map_or(KeyValue::Absent, KeyValue::Known));
        }
        let (pattern, instances) = &self.on;
        let resource = if *instances == [*pattern] { Resource::Exact(pattern) } else { Resource::Pattern(pattern) };
        let principal = Principal::Role { arn: ROLE.to_owned(), session: Some("i-0abc".to_owned()) };
        evaluate(layers, &Request { action: self.action, resource, principal: &principal, resource_account: self.owner, context: &context })
    }

    /// Every world that the scene may be: unknown keys absent or with some value, every resource of the pattern, either account.
    fn worlds(&self) -> Vec<World> {
        let known = |(key, values): (&&str, &Option<Vec<&str>>)| {
            Some((key.to_lowercase(), values.as_ref()?.iter().map(|value| (*value).to_owned()).collect()))
        };
        let mut worlds = vec![World {
            identity: self.identity.clone(),
            boundary: self.boundary.clone(),
            session: self.session.clone(),
            service_control: self.service_control.clone(),
            resource_control: self.resource_control.clone(),
            resource: self.resource.clone(),
            endpoint: self.endpoint.clone(),
            action: self.action.to_owned(),
            who: Who::Role { role: ROLE.to_owned(), session: SESSION.to_owned(), account: ACCOUNT.to_owned() },
            context: self.context.iter().filter_map(known).collect(),
            ..World::default()
        }];
        for key in KEYS.iter().filter(|key| !self.context.contains_key(*key)) {
            let mut next = worlds.clone();
            for world in &worlds {
                for value in VALUES.iter().chain(["other", "Red"].iter()) {
                    let mut world = world.clone();
                    world.context.insert(key.to_lowercase(), vec![(*value).to_owned()]);
                    next.push(world);
                }
            }
            worlds = next;
        }
        let owners = self.owner.map_or(vec![ACCOUNT, ELSEWHERE], |owner| vec![owner]);
        let place = |world: World| {
            let owners = owners.clone();
            self.on.1.iter().flat_map(move |arn| {
                let world = world.clone();
                owners.clone().into_iter().map(move |owner| World {
                    arn: (*arn).to_owned(),
                    resource_account: owner.to_owned(),
                    ..world.clone()
                })
            })
        };
        worlds.into_iter().flat_map(place).collect()
    }

    fn documents_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        let optional = self.boundary.iter_mut().chain(&mut self.session).chain(&mut self.resource).chain(&mut self.endpoint);
        let levels = self.service_control.iter_mut().chain(&mut self.resource_control);
        self.identity.iter_mut().chain(optional.chain(levels).flatten())
    }

    /// Gives each policy and statement a name of its own, so that their order does not show in the names.
    fn named(mut self) -> Self {
        for (number, document) in self.documents_mut().enumerate() {
            document["Id"] = json!(format!("policy {number}"));
            for (number, statement) in document["Statement"].as_array_mut().unwrap().iter_mut().enumerate() {
                statement["Sid"] = json!(format!("S{number}"));
            }
        }
        self
    }
}

fn condition(tame: bool) -> impl Strategy<Value = (String, &'static str, Vec<&'static str>)> {
    let operators =
        vec!["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"];
    let wild = vec!["ArnLike", "ArnNotEquals", "Null", "StringEquals", "StringNotLike"];
    let values = vec![
        "red",
        "RED",
        "re?",
        "*",
        "bucket-*",
        "${aws:PrincipalTag/team}",
        "${aws:SourceArn, 'red'}",
        VALUES[2],
        "arn:aws:*:*:*:*",
        "arn:aws:iam::*:role/*",
    ];
    let prefixes = if tame { vec![""] } else { vec!["", "", "ForAllValues:", "ForAnyValue:"] };
    (
        select(prefixes),
        if tame { select(operators) } else { select([operators, wild].concat()) },
        any::<bool>(),
        select(KEYS.to_vec()),
        vec(select(values), 1..3),
    )
        .prop_map(|(prefix, operator, if_exists, key, values)| match operator {
            "Null" => ("Null".to_owned(), key, vec![if if_exists { "true" } else { "false" }]),
            _ if prefix == "ForAnyValue:" || !if_exists => (format!("{prefix}{operator}"), key, values),
            _ => (format!("{prefix}{operator}IfExists"), key, values),
        })
}

fn statement(with_principal: bool, tame: bool) -> impl Strategy<Value = Value> {
    let actions =
        select(vec!["*", "s3:*", "s3:GetObject", "S3:getobject", "s3:Get*", "s3:*Object", "s3:?etObject", "ssm:*", "s3:PutObject"]);
    let resources = select(vec![
        "*",
        "*",
        "arn:aws:s3:::bucket-1/*",
        "arn:aws:s3:::bucket-*",
        "arn:aws:s3:::bucket-?/key",
        "arn:aws:s3:::${aws:PrincipalTag/team}/*",
        "arn:aws:s3",
        "arn:aws:s3:::*/key",
    ]);
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    let mut principals = vec![
        json!("*"),
        json!("*"),
        json!({"AWS": ROLE}),
        json!({"AWS": [SESSION]}),
        json!({"AWS": ELSEWHERE}),
        json!({"Service": "ec2.amazonaws.com"}),
    ];
    if !tame {
        principals.extend([json!({"AWS": root}), json!({"AWS": ACCOUNT})]);
    }
    let effect = prop_oneof![3 => Just("Allow"), 1 => Just("Deny")];
    let negated = prop_oneof![5 => Just(""), 1 => Just("Not")];
    (effect, negated.clone(), vec(actions, 1..3), negated, vec(resources, 1..3), vec(condition(tame), 0..3), select(principals)).prop_map(
        move |(effect, not_action, actions, not_resource, resources, conditions, principal)| {
            let mut statement =
                json!({"Effect": effect, format!("{not_action}Action"): actions, format!("{not_resource}Resource"): resources});
            for (operator, key, values) in conditions {
                statement["Condition"][operator][key] = json!(values);
            }
            if with_principal {
                statement["Principal"] = principal;
            }
            statement
        },
    )
}

fn document(with_principal: bool, tame: bool) -> impl Strategy<Value = Value> {
    let version = prop_oneof![6 => Just("2012-10-17"), 1 => Just("2008-10-17")];
    (version, vec(statement(with_principal, tame), 1..4))
        .prop_map(|(version, statements)| json!({"Version": version, "Statement": statements}))
}

/// `tame` leaves out what AWS does not document, and everything that is not known.
fn scene(tame: bool) -> impl Strategy<Value = Scene> {
    let open =
        || Just(json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}));
    let open_own = || Just(json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}));
    let own = move || prop_oneof![1 => document(false, tame).boxed(), 1 => open_own().boxed()];
    let others = move || prop_oneof![1 => document(true, tame).boxed(), 1 => open().boxed()];
    let mut resources = vec![
        ("arn:aws:s3:::bucket-1/key", vec!["arn:aws:s3:::bucket-1/key"]),
        ("arn:aws:s3:::bucket-2/other", vec!["arn:aws:s3:::bucket-2/other"]),
        ("*", vec!["*"]),
    ];
    let mut owners = vec![Some(ACCOUNT), Some(ACCOUNT), Some(ELSEWHERE)];
    if !tame {
        resources.push(("arn:aws:s3:::bucket-*", vec!["arn:aws:s3:::bucket-", "arn:aws:s3:::bucket-1/key", "arn:aws:s3:::bucket-9/x"]));
        resources.push(("arn:aws:s3:::bucket-?/key", vec!["arn:aws:s3:::bucket-1/key", "arn:aws:s3:::bucket-9/key"]));
        resources.push(("arn:aws:s3:::*", vec!["arn:aws:s3:::red/key", "arn:aws:s3:::bucket-1/other"]));
        owners.push(None);
    }
    let value = move || {
        let one = select(VALUES.to_vec()).prop_map(|value| Some(Some(vec![value])));
        if tame {
            one.boxed()
        } else {
            prop_oneof![2 => one, 1 => vec(select(VALUES.to_vec()), 0..3).prop_map(|values| Some(Some(values))), 1 => Just(Some(None)), 2 => Just(None)].boxed()
        }
    };
    let policies = (
        vec(own(), 0..4),
        option::weighted(0.3, vec(own(), 1..2)),
        option::weighted(0.2, vec(own(), 1..2)),
        vec(vec(own(), 1..3), 0..3),
        vec(vec(others(), 1..3), 0..2),
        option::weighted(0.5, vec(others(), 1..2)),
        option::weighted(0.3, vec(others(), 1..2)),
    );
    let asked = (
        select(vec!["s3:GetObject", "s3:PutObject", "ssm:UpdateInstanceInformation"]),
        select(resources),
        select(owners),
        (value(), value(), value()),
    );
    (policies, asked).prop_map(
        |((identity, boundary, session, service_control, resource_control, resource, endpoint), (action, on, owner, values))| {
            let values: [Option<Option<Vec<&'static str>>>; 3] = values.into();
            let context = KEYS.into_iter().zip(values).filter_map(|(key, value)| Some((key, value?))).collect();
            Scene { identity, boundary, session, service_control, resource_control, resource, endpoint, action, on, owner, context }.named()
        },
    )
}

fn is_same_or_unknown(before: Verdict, after: Verdict) -> bool {
    after == before || after == Verdict::Unknown
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(
        std::env::var("POLICY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400)
    ) })]

    #[test]
    fn whatever_the_unknown_turns_out_to_be_bears_the_verdict_out(scene in scene(false)) {
        let worlds = scene.worlds();
        match scene.decide().verdict {
            Verdict::Unknown => {}
            verdict => for world in worlds {
                prop_assert_eq!(dumb::allows(&world), verdict == Verdict::Allow, "{:?}", world);
            }
        }
    }

    #[test]
    fn who_knows_everything_decides_everything(scene in scene(true)) {
        let worlds = scene.worlds();
        prop_assert_eq!(worlds.len(), 1);
        let expected = if dumb::allows(&worlds[0]) { Verdict::Allow } else { Verdict::Deny };
        let decision = scene.decide();
        prop_assert_eq!(decision.verdict, expected, "{:?}", decision);
    }

    #[test]
    fn an_added_deny_allows_nothing(scene in scene(false), deny in statement(true, false), place in any::<prop::sample::Index>()) {
        let before = scene.decide().verdict;
        let mut more = scene.clone();
        let mut documents: Vec<&mut Value> = more.documents_mut().collect();
        if !documents.is_empty() {
            let place = place.index(documents.len());
            let document = &mut *documents[place];
            let with_principal = document["Statement"][0].get("Principal").is_some();
            let mut deny = deny;
            deny["Effect"] = json!("Deny");
            if !with_principal {
                deny.as_object_mut().unwrap().remove("Principal");
            }
            document["Statement"].as_array_mut().unwrap().push(deny);
        }
        let after = more.decide().verdict;
        prop_assert!(after != Verdict::Allow || before == Verdict::Allow);
        prop_assert!(before != Verdict::Deny || after == Verdict::Deny);
    }

    #[test]
    fn order_does_not_matter(scene in scene(false)) {
        let mut turned = scene.clone();
        for document in turned.documents_mut() {
            document["Statement"].as_array_mut().unwrap().reverse();
        }
        turned.identity.reverse();
        turned.service_control.reverse();
        for level in turned.service_control.iter_mut().chain(&mut turned.resource_control) {
            level.reverse();
        }
        prop_assert_eq!(turned.decide(), scene.decide());
    }

    #[test]
    fn to_forget_a_key_an_owner_or_a_layer_only_makes_it_unknown(scene in scene(false)) {
        let before = scene.decide().verdict;
        for key in KEYS {
            let mut less = scene.clone();
            less.context.remove(key);
            prop_assert!(is_same_or_unknown(before, less.decide().verdict), "{key}");
        }
        let ownerless = Scene { owner: None, ..scene.clone() };
        prop_assert!(is_same_or_unknown(before, ownerless.decide().verdict));
        let gone = || Policies::Unknown("gone".to_owned());
        let layers = scene.layers();
        for less in [
            Layers { identity: gone(), ..layers.clone() },
            Layers { boundary: gone(), ..layers.clone() },
            Layers { session: gone(), ..layers.clone() },
            Layers { service_control: layers.service_control.iter().map(|_| gone()).collect(), ..layers.clone() },
            Layers { resource_control: vec![gone()], ..layers.clone() },
            Layers { resource: gone(), ..layers.clone() },
            Layers { endpoint: gone(), ..layers.clone() },
        ] {
            prop_assert!(less.resource_control.len() != scene.resource_control.len() || is_same_or_unknown(before, scene.decide_with(&less).verdict));
        }
    }

    #[test]
    fn any_document_is_read_without_a_crash(document in any_json(), text in "\\PC{0,40}", encoded in "%[0-9A-G]{0,9}") {
        let layers = Layers { identity: policies_of([Policy::parse("any", &document)]), ..Layers::default() };
        let context = Context::new();
        let principal = Principal::User { arn: text.clone() };
        let request = Request { action: &text, resource: Resource::Pattern(&text), principal: &principal, resource_account: None, context: &context };
        evaluate(&layers, &request);
        for text in [&text, &encoded] {
            let unread = Policy::parse_text("any", text);
            prop_assert!(!unread.unreadable_parts().is_empty());
        }
    }
}

/// Laws over scenes that all end alike would say nothing.
#[test]
fn random_scenes_have_every_verdict() {
    let mut runner = TestRunner::deterministic();
    let mut counts = BTreeMap::new();
    for _ in 0..300 {
        let scene = scene(false).new_tree(&mut runner).unwrap().current();
        *counts.entry(word(scene.decide().verdict)).or_insert(0) += 1;
    }
    assert!(counts.len() == 3 && counts.values().all(|count| *count >= 30), "{counts:?}");
    println!("{counts:?}");
}

fn policies_of<const N: usize>(policies: [Policy; N]) -> Policies {
    Policies::Known(policies.into())
}

/// JSON that is often nearly a policy.
fn any_json() -> impl Strategy<Value = Value> {
    let words = vec![
        "Allow",
        "Deny",
        "*",
        "2012-10-17",
        "s3:*",
        "${",
        "${}",
        "${a, 'b}",
        "arn:",
        "arn:aws:iam::1:root",
        "StringEquals",
        "Version",
        "Statement",
        "Effect",
        "Action",
        "Resource",
        "NotAction",
        "Condition",
        "Principal",
        "AWS",
        "Sid",
        "Null",
        "ForAllValues:Bool",
    ];
    let word = select(words).prop_map(ToOwned::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        word.clone().prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((word.clone(), inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect()))
        ]
    })
}
