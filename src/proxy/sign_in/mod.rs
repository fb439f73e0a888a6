//! Signing in with a browser: a token pasted into a page of the gate's own becomes a session.
//!
//! It is on where the configuration says at which origin browsers see the gate. Where it is off, cookies mean nothing.

mod form;
pub(super) mod page;
mod page_load;
mod return_path;
mod same_origin;

use std::time::SystemTime;

use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use hyper::body::Incoming;

use super::{GateBody, Rejection, body};
use crate::auth::{self, Authentication, Authenticator, MAX_SESSION_TOKEN, TokenFault};
use crate::config::{Limits, Origin};
use crate::telemetry::Record;
use form::LoginForm;
use page::Shown;
pub use page_load::prefers_html;
use return_path::ReturnPath;

/// Where one signs in.
pub const LOGIN_PATH: &str = "/gate/login";

/// Where one signs out.
pub const LOGOUT_PATH: &str = "/gate/logout";

static GET: Method = Method::GET;
static POST: Method = Method::POST;

/// Where one sees who one is to the gate.
pub const ME_PATH: &str = "/gate/me";

/// A page of the gate's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// For anyone.
    SignIn(SignInPage),
    /// [`ME_PATH`], for who has an identity.
    Me,
}

/// A page that begins or ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInPage {
    /// [`LOGIN_PATH`]
    Login,
    /// [`LOGOUT_PATH`]
    Logout,
}

impl Page {
    /// The page under this path: the paths themselves, in no other spelling.
    #[must_use]
    pub fn at(raw_path: &str) -> Option<Self> {
        match raw_path {
            LOGIN_PATH => Some(Self::SignIn(SignInPage::Login)),
            LOGOUT_PATH => Some(Self::SignIn(SignInPage::Logout)),
            ME_PATH => Some(Self::Me),
            _ => None,
        }
    }

    /// The methods with which it is served.
    fn methods(self) -> Vec<&'static Method> {
        match self {
            Self::SignIn(SignInPage::Login) => vec![&GET, &POST],
            Self::SignIn(SignInPage::Logout) => vec![&POST],
            Self::Me => vec![&GET],
        }
    }

    /// Whether it is served with this method.
    ///
    /// # Errors
    /// [`Rejection::MethodNotAllowed`].
    pub fn check(self, method: &Method) -> Result<(), Rejection> {
        let methods = self.methods();
        if methods.contains(&method) { Ok(()) } else { Err(Rejection::MethodNotAllowed(methods)) }
    }

    /// What the record calls it.
    #[must_use]
    pub const fn row(self) -> &'static str {
        match self {
            Self::SignIn(page) => page.row(),
            Self::Me => "gate_me",
        }
    }
}

impl SignInPage {
    const fn row(self) -> &'static str {
        match self {
            Self::Login => "gate_login",
            Self::Logout => "gate_logout",
        }
    }
}

/// Sessions, and the pages that begin and end them.
pub struct SignIn {
    origin: Option<Origin>,
}

impl SignIn {
    /// For browsers that see the gate at this origin.
    #[must_use]
    pub const fn new(origin: Option<Origin>) -> Self {
        Self { origin }
    }

    /// Who asks, by the cookies of the request.
    pub async fn authenticate(&self, head: &Parts, authenticator: &Authenticator, now: SystemTime) -> Authentication {
        if self.origin.is_none() {
            return Authentication::Absent;
        }
        match auth::session_token(&head.headers) {
            Ok(None) => Authentication::Absent,
            Ok(Some(token)) => authenticator.authenticate_token(&token, now).await,
            Err(fault) => Authentication::Refused(fault),
        }
    }

    /// A browser sends cookies along with what another site has it send: what changes anything must come from the gate's
    /// own origin.
    ///
    /// # Errors
    /// [`Rejection::CrossOrigin`].
    pub fn heed_origin(&self, head: &Parts) -> Result<(), Rejection> {
        let own = self.origin.as_ref().is_some_and(|origin| same_origin::proved(&head.headers, origin.as_str()));
        if head.method.is_safe() || own { Ok(()) } else { Err(Rejection::CrossOrigin) }
    }

    /// The way to the login page, for who loads a page and is not signed in.
    #[must_use]
    pub fn way_in(&self, head: &Parts, rejection: &Rejection) -> Option<Response<GateBody>> {
        let lacks_session = matches!(rejection, Rejection::NoCredentials | Rejection::BadCredentials(_));
        if self.origin.is_none() || !lacks_session || !page_load::is_one(head) {
            return None;
        }
        let wanted = head.uri.path_and_query().map_or("/", |target| target.as_str());
        Some(see_other(&ReturnPath::parse(wanted).login_target()))
    }

    /// Answers a request for one of the pages.
    ///
    /// # Errors
    /// Another method, or a body that is not a form.
    pub async fn answer(
        &self,
        page: SignInPage,
        (head, body): (&Parts, &mut Option<Incoming>),
        (authenticator, limits): (&Authenticator, &Limits),
        record: &mut Record,
    ) -> Result<Response<GateBody>, Rejection> {
        record.row(page.row(), None);
        let Some(origin) = &self.origin else {
            body::drain_rest(head, body).await;
            record.rejected("caller", "sign_in_is_off", None);
            return Ok(Shown::Off.render(StatusCode::NOT_FOUND));
        };
        if head.method == GET && page == SignInPage::Login {
            record.open(page.row());
            return Ok(self.show(head, authenticator).await);
        }
        Page::SignIn(page).check(&head.method)?;
        if self.heed_origin(head).is_err() {
            body::drain_rest(head, body).await;
            return Ok(refuse(&Rejection::CrossOrigin, &Shown::OtherOrigin(origin.as_str()), record));
        }
        match page {
            SignInPage::Login => {
                let form = LoginForm::parse(&body::read_form(head, body, limits).await?)?;
                Ok(login(&form, authenticator, record).await)
            }
            SignInPage::Logout => {
                body::drain_rest(head, body).await;
                record.open(page.row());
                Ok(with_cookies(see_other(LOGIN_PATH), auth::end_session()))
            }
        }
    }

    async fn show(&self, head: &Parts, authenticator: &Authenticator) -> Response<GateBody> {
        let to = form::return_path(head.uri.query());
        let shown = match self.authenticate(head, authenticator, SystemTime::now()).await {
            Authentication::Verified(identity) => Shown::SignedIn { name: identity.name().to_owned(), to },
            Authentication::Absent | Authentication::Refused(_) | Authentication::Unavailable(_) => {
                Shown::Form { to, fault: None }
            }
        };
        shown.render(StatusCode::OK)
    }
}

async fn login(form: &LoginForm, authenticator: &Authenticator, record: &mut Record) -> Response<GateBody> {
    let shown = |fault: String| Shown::Form { to: form.to.clone(), fault: Some(fault) };
    if form.token.is_empty() {
        return refuse(&Rejection::NoCredentials, &shown("There is no token in the field.".to_owned()), record);
    }
    if form.token.len() > MAX_SESSION_TOKEN {
        let fault = format!(
            "The token has {} bytes, and a browser keeps at most {MAX_SESSION_TOKEN} of it. It can only be sent by a program.",
            form.token.len()
        );
        return refuse(&Rejection::BodyTooLarge(MAX_SESSION_TOKEN), &shown(fault), record);
    }
    let now = SystemTime::now();
    let begun = match authenticator.authenticate_token(&form.token, now).await {
        Authentication::Verified(identity) => {
            record.caller(&identity);
            auth::begin_session(&form.token, &identity, now)
        }
        Authentication::Refused(fault) => Err(fault),
        Authentication::Unavailable(fault) => {
            return refuse(&Rejection::KeysUnavailable(fault), &shown(format!("Not signed in: {fault}.")), record);
        }
        Authentication::Absent => Err(TokenFault::Malformed),
    };
    match begun {
        Ok(cookies) => {
            record.open(SignInPage::Login.row());
            with_cookies(see_other(form.to.as_str()), cookies)
        }
        Err(fault) => {
            let why = format!("Not signed in: {}.", fault.public_message());
            refuse(&Rejection::BadCredentials(fault), &shown(why), record)
        }
    }
}

/// A page in the place of an error's body; it is recorded as the error that it is.
fn refuse(rejection: &Rejection, shown: &Shown<'_>, record: &mut Record) -> Response<GateBody> {
    record.rejected(rejection.fault().as_str(), rejection.reason(), None);
    shown.render(rejection.status())
}

fn see_other(target: &str) -> Response<GateBody> {
    let mut response = Response::new(GateBody::whole(""));
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::try_from(target).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn with_cookies(mut response: Response<GateBody>, cookies: Vec<HeaderValue>) -> Response<GateBody> {
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
