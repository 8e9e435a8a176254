//! Who asks: the caller's credentials, and the role in each other account.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use tokio::sync::Mutex;

use super::gap::Refusal;
use super::{LookError, Request};
use crate::permissions;
use crate::snapshot::{Caller, GapReason, redact};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// All attempts of one call together: longer than any sequence of retries that still makes sense.
const CALL_TIMEOUT: Duration = Duration::from_secs(150);
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const ATTEMPTS: u32 = 6;
/// Credentials are fetched anew this long before they expire.
const MARGIN: Duration = Duration::from_mins(5);
const SESSION_NAME: &str = "patch-preflight";
/// Asked in this order where no Region is configured: credentials of one partition are not known in another.
const FIRST_REGIONS: &[&str] = &["us-east-1", "us-gov-west-1", "cn-northwest-1"];

/// The caller, once it is known who that is.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// With the caller's credentials and the Region to ask first.
    pub(super) config: SdkConfig,
    pub(super) caller: Caller,
    pub(super) partition: String,
    pub(super) home: String,
}

impl Session {
    /// Loads the credentials that AWS tools would take and asks STS whose they are.
    pub(super) async fn open(request: &Request) -> Result<Self, LookError> {
        let config = load(request).await?;
        let provider = config.credentials_provider().ok_or(LookError::NoCredentials)?;
        provider.provide_credentials().await.map_err(|error| match error {
            CredentialsError::CredentialsNotLoaded(_) => match request.profile.clone().or_else(|| std::env::var("AWS_PROFILE").ok()) {
                Some(profile) => LookError::NoSuchProfile { profile },
                None => LookError::NoCredentials,
            },
            other => LookError::CredentialsFailed(redact::message(&role_trouble(&DisplayErrorContext(other).to_string()))),
        })?;
        let configured = config.region().map(|region| region.as_ref().to_owned());
        let candidates = match &configured {
            Some(region) => vec![region.as_str()],
            None => FIRST_REGIONS.to_vec(),
        };
        let mut refused = Refusal::new(GapReason::Error, "no Region to ask");
        for region in candidates {
            let config = in_region(&config, region);
            match aws_sdk_sts::Client::new(&config).get_caller_identity().send().await {
                Ok(identity) => {
                    let caller = Caller { account_id: identity.account.unwrap_or_default(), arn: identity.arn.unwrap_or_default() };
                    let partition = caller.arn.split(':').nth(1).filter(|part| !part.is_empty()).unwrap_or("aws").to_owned();
                    return Ok(Self { config, caller, partition, home: region.to_owned() });
                }
                Err(error) => refused = Refusal::from_sdk(&error),
            }
            // Only "never heard of these credentials" is a reason to ask another partition.
            if refused.reason != GapReason::RegionDisabled {
                break;
            }
        }
        Err(LookError::CallerUnknown(refused.message))
    }

    /// What to ask an account with: the caller's own credentials at home, the role elsewhere. Tries the role once, so that a role
    /// that cannot be assumed is one gap and not hundreds.
    pub(super) async fn account(&self, request: &Request, account_id: &str) -> Result<SdkConfig, Refusal> {
        if account_id == self.caller.account_id {
            return Ok(self.config.clone());
        }
        let mut role = AssumeRoleProvider::builder(role_arn(&self.partition, account_id, &request.role_name))
            .session_name(SESSION_NAME)
            .policy(permissions::session_policy())
            .region(Region::new(self.home.clone()))
            .configure(&self.config);
        if let Some(external_id) = &request.external_id {
            role = role.external_id(external_id);
        }
        let provider = Cached::new(SharedCredentialsProvider::new(role.build().await));
        provider.provide_credentials().await.map_err(|error| {
            let message = DisplayErrorContext(&error).to_string();
            Refusal::new(GapReason::RoleNotAssumable, role_trouble(&message))
        })?;
        Ok(self.config.to_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build())
    }
}

/// The configuration for one Region.
pub(super) fn in_region(config: &SdkConfig, region: &str) -> SdkConfig {
    config.to_builder().region(Region::new(region.to_owned())).build()
}

fn role_arn(partition: &str, account_id: &str, role_name: &str) -> String {
    format!("arn:{partition}:iam::{account_id}:role/{}", role_name.trim_start_matches('/'))
}

/// AWS's code and sentence in the SDK's chain of causes; without them the chain's first words.
fn role_trouble(context: &str) -> String {
    let quoted = |mark: &str| context.split_once(mark).and_then(|(_, rest)| rest.split_once('"')).map(|(text, _)| text.to_owned());
    match (quoted("code: \""), quoted("message: \"")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => context.split(" (").next().unwrap_or(context).to_owned(),
    }
}

async fn load(request: &Request) -> Result<SdkConfig, LookError> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).http_client(http_client()?);
    if let Some(profile) = &request.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &request.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(region) = &request.region_hint {
        loader = loader.region(Region::new(region.clone()));
    }
    let config = loader.load().await;
    let retries = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
    let untouched = retries.max_attempts() == RetryConfig::standard().max_attempts() && std::env::var_os("AWS_MAX_ATTEMPTS").is_none();
    let retries = if untouched { retries.with_max_attempts(ATTEMPTS) } else { retries }.with_initial_backoff(FIRST_BACKOFF);
    let mut builder = config.to_builder().retry_config(retries);
    if let Some(provider) = config.credentials_provider() {
        builder = builder.credentials_provider(SharedCredentialsProvider::new(Cached::new(provider)));
    }
    Ok(builder.build())
}

/// One pool of connections for the whole scan. It honours the proxy variables, and `AWS_CA_BUNDLE`, which the SDK does not.
fn http_client() -> Result<SharedHttpClient, LookError> {
    let trust = match std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) {
        Some(path) => {
            let pem = std::fs::read(&path)
                .map_err(|source| LookError::CaBundle { path: path.to_string_lossy().into_owned(), problem: source.to_string() })?;
            TrustStore::default().with_pem_certificate(pem)
        }
        None => TrustStore::default(),
    };
    let context = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(|source| LookError::CaBundle { path: "AWS_CA_BUNDLE".to_owned(), problem: source.to_string() })?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = ConnectorBuilder::default()
            .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(context.clone())
            .proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.build()
    }))
}

/// Keeps credentials until shortly before they expire. The SDK's own cache belongs to one client, and here every account and Region
/// has clients of its own: each would assume the role again.
#[derive(Debug, Clone)]
struct Cached {
    inner: SharedCredentialsProvider,
    kept: Arc<Mutex<Option<Credentials>>>,
}

impl Cached {
    fn new(inner: SharedCredentialsProvider) -> Self {
        Self { inner, kept: Arc::default() }
    }

    async fn credentials(&self) -> provider::Result {
        let mut kept = self.kept.lock().await;
        if let Some(credentials) = kept.as_ref().filter(|credentials| is_fresh(credentials.expiry(), SystemTime::now())) {
            return Ok(credentials.clone());
        }
        let fetched = self.inner.provide_credentials().await?;
        *kept = Some(fetched.clone());
        Ok(fetched)
    }
}

impl ProvideCredentials for Cached {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

fn is_fresh(expiry: Option<SystemTime>, now: SystemTime) -> bool {
    expiry.is_none_or(|expiry| now + MARGIN < expiry)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{MARGIN, is_fresh, role_arn, role_trouble};

    #[test]
    fn credentials_are_fetched_anew_before_they_expire() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        assert!(is_fresh(None, now));
        assert!(is_fresh(Some(now + MARGIN + Duration::from_secs(1)), now));
        assert!(!is_fresh(Some(now + MARGIN), now));
    }

    #[test]
    fn the_role_of_another_account() {
        assert_eq!(role_arn("aws-cn", "111111111111", "Reader"), "arn:aws-cn:iam::111111111111:role/Reader");
        assert_eq!(role_arn("aws", "111111111111", "/audit/Reader"), "arn:aws:iam::111111111111:role/audit/Reader");
    }

    #[test]
    fn the_sentence_of_aws_is_kept() {
        let context = "an error occurred while loading credentials: unhandled error: unhandled error: Error { code: \"AccessDenied\", \
                       message: \"User: arn:aws:iam::1:user/u is not authorized to perform: sts:AssumeRole\" } (ProviderError(ProviderError";
        let told = "AccessDenied: User: arn:aws:iam::1:user/u is not authorized to perform: sts:AssumeRole";
        assert_eq!(role_trouble(context), told);
        assert_eq!(role_trouble("dispatch failure: io error (DispatchFailure(DispatchFailure {"), "dispatch failure: io error");
        assert_eq!(role_trouble("connection refused"), "connection refused");
    }
}
