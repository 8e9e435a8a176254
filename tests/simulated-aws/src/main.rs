//! `simulated-aws serve DIR`: a snapshot as AWS, to play with.

use std::path::Path;
use std::process::ExitCode;

use simulated_aws::{Server, Store, Weather};

const USAGE: &str = "\
simulated-aws serve DIR [--port N] [--weather FILE]   serves the snapshot in DIR
simulated-aws generate SEED ACCOUNTS REGIONS INSTANCES DIR
                                                      writes an organization: INSTANCES in each of REGIONS in each of ACCOUNTS,
                                                      and what is to be said of them to DIR.expected.json
simulated-aws measure                                 measures how fast the server is";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["serve", folder, options @ ..] => serve(folder, options),
        ["generate", seed, accounts, regions, instances, folder] => generate(seed, [accounts, regions, instances], folder),
        ["measure"] => simulated_aws::measure::run().map(|told| println!("{told}")).map_err(|error| error.to_string()),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn serve(folder: &str, options: &[&str]) -> Result<(), String> {
    let (mut port, mut weather) = (0, Weather::default());
    for pair in options.chunks(2) {
        match pair {
            ["--port", number] => port = number.parse().map_err(|error| format!("--port {number}: {error}"))?,
            ["--weather", file] => {
                let text = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
                weather = serde_json::from_slice(&text).map_err(|error| format!("{file}: {error}"))?;
            }
            _ => return Err(USAGE.to_owned()),
        }
    }
    let store = Store::read(Path::new(folder)).map_err(|error| error.to_string())?;
    let server = Server::start_on(port, store, weather).map_err(|error| error.to_string())?;
    let credentials = server.credentials();
    println!("export AWS_ENDPOINT_URL={}", server.endpoint());
    println!("export AWS_REGION=us-east-1");
    println!("export AWS_ACCESS_KEY_ID={}", credentials.access_key_id);
    println!("export AWS_SECRET_ACCESS_KEY={}", credentials.secret_access_key);
    println!("unset AWS_SESSION_TOKEN AWS_PROFILE");
    server.wait();
    Ok(())
}

fn generate(seed: &str, size: [&str; 3], folder: &str) -> Result<(), String> {
    let number = |text: &str| text.parse::<usize>().map_err(|error| format!("{text}: {error}"));
    let [accounts, regions, instances] = size;
    let size = simulated_aws::generate::Size { accounts: number(accounts)?, regions: number(regions)?, instances: number(instances)? };
    let seed = seed.parse().map_err(|error| format!("{seed}: {error}"))?;
    let organization = simulated_aws::generate::organization(seed, &size);
    organization.write(Path::new(folder)).map_err(|error| format!("{folder}: {error}"))
}
