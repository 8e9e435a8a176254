//! `simulated-aws serve DIR`: a snapshot as AWS, to play with.

use std::path::Path;
use std::process::ExitCode;

use simulated_aws::generate::{MOST_REGIONS, Size};
use simulated_aws::{Server, Store, Weather};

const USAGE: &str = "\
simulated-aws serve DIR [--port N] [--weather FILE]   serves the snapshot in DIR
simulated-aws generate SEED ACCOUNTS REGIONS INSTANCES DIR
                                                      writes an organization of ACCOUNTS, the management account and others with
                                                      INSTANCES in each of REGIONS, into the new folder DIR, and what is to
                                                      be said of them to DIR.expected.json
simulated-aws measure                                 measures how fast the server is";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["serve", folder, options @ ..] => serve(folder, options),
        ["generate", seed, accounts, regions, instances, folder] => generate(seed, [accounts, regions, instances], folder),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
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
    // The AWS CLI reads the one, the SDKs and version 2 of the CLI both.
    println!("export AWS_REGION={home} AWS_DEFAULT_REGION={home}", home = server.home());
    println!("export AWS_ACCESS_KEY_ID={}", credentials.access_key_id);
    println!("export AWS_SECRET_ACCESS_KEY={}", credentials.secret_access_key);
    println!("unset AWS_SESSION_TOKEN AWS_PROFILE");
    server.wait();
    Ok(())
}

fn generate(seed: &str, size: [&str; 3], folder: &str) -> Result<(), String> {
    let number = |name: &str, text: &str| text.parse::<usize>().map_err(|error| format!("{name} {text}: {error}"));
    let [accounts, regions, instances] = size;
    let (accounts, regions, instances) = (number("ACCOUNTS", accounts)?, number("REGIONS", regions)?, number("INSTANCES", instances)?);
    if accounts == 0 || regions > MOST_REGIONS {
        return Err(format!("ACCOUNTS is at least 1, the management account, and REGIONS at most {MOST_REGIONS}"));
    }
    let size = Size { accounts, regions, instances };
    let seed = seed.parse().map_err(|error| format!("SEED {seed}: {error}"))?;
    let organization = simulated_aws::generate::organization(seed, &size);
    organization.write(Path::new(folder)).map_err(|error| format!("{folder}: {error}"))
}
