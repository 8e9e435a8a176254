//! From where one account and Region is asked: its clients, its pace, and the gaps that the answers leave.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::future::LocalBoxFuture;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Semaphore, watch};

use super::Event;
use super::gap::Refusal;
use super::pace::{Pace, Watch};
use super::session::in_region;
use super::shapes::Shape;
use super::whole::Whole;
use crate::snapshot::{Gap, GapReason};

/// How many calls run side by side in one account and Region.
const SIDE_BY_SIDE: usize = 4;
/// More pages than any list of AWS has; a token that never ends is a broken answer.
const MOST_PAGES: usize = 20_000;

/// What all desks of a scan share.
#[derive(Debug, Clone)]
pub(super) struct Office {
    pub(super) events: UnboundedSender<Event>,
    /// Whether to stop asking.
    pub(super) stop: watch::Receiver<bool>,
}

impl Office {
    pub(super) fn tell(&self, event: Event) {
        // Nobody listening any more means that the scan is over.
        let _ = self.events.send(event);
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Returns when the user stops the scan.
    pub(super) async fn stopped(&self) {
        let mut stop = self.stop.clone();
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[derive(Debug)]
pub(super) struct Desk {
    pub(super) account_id: String,
    /// `None` where the answers hold for the account as a whole.
    pub(super) region: Option<String>,
    office: Office,
    config: SdkConfig,
    pace: Pace,
    /// The pace of the services that count an account's requests over all Regions.
    account_pace: Pace,
    gate: Arc<Semaphore>,
    gaps: Mutex<Vec<Gap>>,
}

macro_rules! clients {
    ($($service:ident: $sdk:ident as $name:literal, $pace:ident;)*) => {$(
        /// A new client. Built where it is used and dropped after: hundreds of accounts times Regions would not fit otherwise.
        pub(super) fn $service(&self) -> $sdk::Client {
            $sdk::Client::from_conf($sdk::config::Builder::from(&self.config).interceptor(Watch::new(&self.$pace, $name)).interceptor(Whole).build())
        }
    )*};
}

impl Desk {
    /// A desk for what holds for the account as a whole; `region` is where its global services are asked from.
    pub(super) fn of_account(office: &Office, config: &SdkConfig, account_id: &str, region: &str) -> Self {
        let pace = Pace::new(office.events.clone());
        Self {
            account_id: account_id.to_owned(),
            region: None,
            office: office.clone(),
            config: in_region(config, region),
            account_pace: pace.clone(),
            pace,
            gate: Arc::new(Semaphore::new(SIDE_BY_SIDE)),
            gaps: Mutex::default(),
        }
    }

    /// A desk for one Region of the same account.
    pub(super) fn in_region(&self, region: &str) -> Self {
        Self {
            account_id: self.account_id.clone(),
            region: Some(region.to_owned()),
            office: self.office.clone(),
            config: in_region(&self.config, region),
            pace: Pace::new(self.office.events.clone()),
            account_pace: self.account_pace.clone(),
            gate: Arc::new(Semaphore::new(SIDE_BY_SIDE)),
            gaps: Mutex::default(),
        }
    }

    /// A desk for the same, whose services are asked in another Region.
    pub(super) fn asking_in(&self, region: &str) -> Self {
        Self { region: self.region.clone(), ..self.in_region(region) }
    }

    /// S3's client. At an endpoint of one's own the bucket stands in the path: no name of a host leads there with the bucket before it.
    pub(super) fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(self.config.endpoint_url().is_some());
        aws_sdk_s3::Client::from_conf(config.interceptor(Watch::new(&self.pace, "s3")).interceptor(Whole).build())
    }

    clients! {
        ec2: aws_sdk_ec2 as "ec2", pace;
        ssm: aws_sdk_ssm as "ssm", pace;
        iam: aws_sdk_iam as "iam", account_pace;
        organizations: aws_sdk_organizations as "organizations", pace;
        resource_groups: aws_sdk_resourcegroups as "resource-groups", pace;
        quick_setup: aws_sdk_ssmquicksetup as "ssm-quicksetup", pace;
        route53: aws_sdk_route53 as "route53", account_pace;
        resolver: aws_sdk_route53resolver as "route53resolver", pace;
        profiles: aws_sdk_route53profiles as "route53profiles", pace;
    }

    /// One call, at its turn; a refusal is left to the caller. On the heap, because the SDK's futures take 20 KB each.
    pub(super) fn attempt<'s, T, E>(
        &'s self,
        operation: &'s str,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + 's,
    ) -> LocalBoxFuture<'s, Result<T, Refusal>>
    where
        T: 's,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        Box::pin(self.at_its_turn(operation, call))
    }

    async fn at_its_turn<T, E>(
        &self,
        operation: &str,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Refusal>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let pace = if operation.starts_with("route53:") || operation.starts_with("iam:") { &self.account_pace } else { &self.pace };
        let answer = async {
            pace.turn(operation).await;
            let _permit = self.gate.acquire().await;
            call.await
        };
        tokio::select! {
            biased;
            () = self.office.stopped() => Err(Refusal::new(GapReason::Error, "not asked: the scan was interrupted")),
            answer = answer => match answer {
                Ok(answer) => {
                    pace.answered(operation);
                    Ok(answer)
                }
                Err(error) => Err(Refusal::from_sdk(&error)),
            },
        }
    }

    /// One call whose refusal is a gap.
    pub(super) fn once<'s, T, E>(
        &'s self,
        operation: &'s str,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + 's,
    ) -> impl Future<Output = Option<T>> + 's
    where
        T: 's,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let answer = self.attempt(operation, call);
        async move { answer.await.map_err(|refusal| self.miss(operation, refusal)).ok() }
    }

    /// All pages of a list, or a gap: a list of which one page failed is unknown, never short.
    ///
    /// `call` asks for the page of a token, `page` takes the answer apart into its items and the next token.
    pub(super) async fn pages<P, E, A, B, F>(
        &self,
        operation: &str,
        call: impl FnMut(Option<String>) -> F,
        page: impl Fn(P) -> (Option<Vec<A>>, Option<String>),
    ) -> Option<Vec<B>>
    where
        A: Shape<B>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<P, SdkError<E, HttpResponse>>>,
    {
        self.try_pages(operation, call, page).await.map_err(|refusal| self.miss(operation, refusal)).ok()
    }

    /// [`Self::pages`], with the refusal left to the caller.
    pub(super) async fn try_pages<P, E, A, B, F>(
        &self,
        operation: &str,
        mut call: impl FnMut(Option<String>) -> F,
        page: impl Fn(P) -> (Option<Vec<A>>, Option<String>),
    ) -> Result<Vec<B>, Refusal>
    where
        A: Shape<B>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<P, SdkError<E, HttpResponse>>>,
    {
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let (items, next) = page(self.attempt(operation, call(token.clone())).await?);
            all.extend(items.unwrap_or_default().into_iter().map(Shape::shape));
            // An empty page with a token is not the end; a token that stays the same would never be.
            match next.filter(|next| !next.is_empty()) {
                None => return Ok(all),
                next if next == token => break,
                next => token = next,
            }
        }
        Err(Refusal::new(GapReason::Error, "the list has no end: AWS gave the same page token again"))
    }

    /// Records that an operation gave no whole answer. Once for each operation and reason: the same refusal for every VPC tells no more.
    pub(super) fn miss(&self, operation: &str, refusal: Refusal) {
        let mut gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        if gaps.iter().any(|gap| gap.operation == operation && gap.reason == refusal.reason) {
            return;
        }
        let gap = Gap {
            account_id: self.account_id.clone(),
            region: self.region.clone(),
            operation: operation.to_owned(),
            reason: refusal.reason,
            message: refusal.message,
            request_id: refusal.request_id,
        };
        self.office.tell(Event::Gap(gap.clone()));
        gaps.push(gap);
    }

    /// Records that an operation could not be asked because another one, which would have told what for, gave no answer.
    pub(super) fn miss_without(&self, operation: &str, needed: &str) {
        let reason = {
            let gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
            gaps.iter().find(|gap| gap.operation == needed).map_or(GapReason::Error, |gap| gap.reason)
        };
        self.miss(operation, Refusal::new(reason, format!("not asked, because {needed} gave no answer")));
    }

    /// Adds what another desk for the same place missed.
    pub(super) fn take_over(&self, gaps: Vec<Gap>) {
        let mut own = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |gap: &Gap| !own.iter().any(|known| known.operation == gap.operation && known.reason == gap.reason);
        let new: Vec<Gap> = gaps.into_iter().filter(is_new).collect();
        own.extend(new);
    }

    /// The gaps so far; the desk is done.
    pub(super) fn close(self) -> Vec<Gap> {
        self.gaps.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
