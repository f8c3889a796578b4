//! The described nouns are what `types` writes: values of each kind fit their schema.

use crate::{
    fake::{
        self, committing, ended, header, job_view, outcome, params, revealing, settled, worker,
    },
    problems::tx,
};
use serde::Serialize;
use serde_json::Value;
use types::{
    Action, Hash, NanoMeshx, Reveal, Status, Text, Trap, Tx, governance::VoteOption,
    staking::StakeOrder, state::Phase,
};

fn check(name: &str, value: &impl Serialize) {
    let description: Value = serde_json::from_str(api::openapi()).unwrap();
    let schemas = &description["components"]["schemas"];
    let value = serde_json::to_value(value).unwrap();
    if let Err(error) = fits(schemas, &schemas[name], &value) {
        panic!("{name}: {error}\n{value:#}");
    }
}

/// As much of JSON Schema as the description uses; anything else fails.
fn fits(all: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return fits(all, &all[name], value).map_err(|error| format!("{name}: {error}"));
    }
    if let Some(variants) = schema["oneOf"].as_array() {
        let errors: Vec<_> =
            variants.iter().filter_map(|variant| fits(all, variant, value).err()).collect();
        let fitting = variants.len() - errors.len();
        return if fitting == 1 {
            Ok(())
        } else {
            Err(format!("{fitting} variants fit; {errors:?}"))
        };
    }
    if let Some(parts) = schema["allOf"].as_array() {
        // Each part describes some of the properties.
        let described: Vec<String> = parts.iter().flat_map(|part| properties(all, part)).collect();
        if let Some(extra) = value.as_object().unwrap().keys().find(|key| !described.contains(key))
        {
            return Err(format!("{extra} is not described"));
        }
        return parts.iter().try_for_each(|part| {
            let own = properties(all, part);
            let own: Value = value
                .as_object()
                .unwrap()
                .clone()
                .into_iter()
                .filter(|(key, _)| own.contains(key))
                .collect();
            fits(all, part, &own)
        });
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let types = &schema["type"];
    if types != kind && !types.as_array().is_some_and(|types| types.contains(&kind.into())) {
        return Err(format!("a {kind}, not a {types}"));
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        return Err(format!("{value} is not one of {}", schema["enum"]));
    }
    if let Some(items) = value.as_array() {
        return items.iter().try_for_each(|item| fits(all, &schema["items"], item));
    }
    let Some(object) = value.as_object() else { return Ok(()) };
    if let Some(missing) = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|key| !object.contains_key(key.as_str().unwrap()))
    {
        return Err(format!("{missing} is missing"));
    }
    object.iter().try_for_each(|(key, value)| match schema["properties"].get(key) {
        Some(schema) => fits(all, schema, value).map_err(|error| format!("{key}: {error}")),
        None => Err(format!("{key} is not described")),
    })
}

fn properties(all: &Value, schema: &Value) -> Vec<String> {
    let schema =
        schema["$ref"].as_str().map_or(schema, |name| &all[name.rsplit('/').next().unwrap()]);
    if let Some(variants) = schema["oneOf"].as_array() {
        return variants.iter().flat_map(|variant| properties(all, variant)).collect();
    }
    schema["properties"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn money_that_works() {
    check("MarketView", &fake::market());
    check("ValidatorView", &fake::validator());
    check("StakeView", &fake::stake());
    check("EarningsView", &fake::earnings());
    check("AttestationView", &fake::attestation());
    check("PresenceView", &fake::presence());
    check("PeriodView", &fake::period());
    let order = StakeOrder::Undelegate { validator: fake::address(), amount: None };
    check("Action", &Action::Stake(order));
    check("Action", &Action::Heartbeat);
    let proposal = fake::proposal();
    check("Proposal", &proposal);
    check("Action", &Action::Propose { title: proposal.title, kind: proposal.kind });
    check("Action", &Action::Vote { proposal: 1, option: VoteOption::Veto });
    check("Action", &Action::Report(fake::equivocation_proof()));
    check("EquivocationProof", &fake::equivocation_proof());
    check("Action", &Action::PublishModule { module: Hash([1; 32]), royalty_bps: 5 });
    check("Action", &Action::ClaimVested { amount: NanoMeshx::new(5) });
}

#[test]
fn jobs_in_every_phase() {
    for phase in [Phase::Queued { draws: 0 }, committing(), revealing(), settled(), ended()] {
        check("JobView", &job_view(phase));
    }
}

#[test]
fn transactions_of_every_kind() {
    let (job, to) = (Hash([7; 32]), tx().from());
    let trapped = types::Outcome { status: Status::Trapped(Trap::OutOfFuel), ..outcome() };
    for action in [
        tx().action,
        Action::Transfer { to, amount: NanoMeshx::new(5) },
        Action::RegisterWorker {
            capacity: 1,
            city: Text::new("Lisbon").unwrap(),
            floor: NanoMeshx::new(3),
        },
        Action::Commit { job, commitment: job },
        Action::Reveal(Reveal { job, outcome: trapped, salt: job }),
        Action::CancelJob { job },
    ] {
        check("Tx", &Tx { action, ..tx() });
    }
}

#[test]
fn records_and_headers() {
    check("Params", &params());
    check("WorkerRecord", &worker());
    check("Header", &header(3));
    check("Problem", &api::Problem::new(api::Code::NotFound, "nothing"));
}
