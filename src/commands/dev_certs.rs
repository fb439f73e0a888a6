//! `msq-gate dev-certs`: certificates and keys for development.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::{CommonParameters, Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

use super::{fail, say};

/// Days that the certificates are valid. Apple's systems take server certificates of at most 825 days.
const VALID_DAYS: i64 = 365;

/// Bytes of the key that signs ids.
const ID_KEY_BYTES: usize = 32;

/// The name and addresses of the server certificate.
const SERVER_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Makes a CA, a server certificate, a token-signing key pair and the id key. For development: the keys are not protected.
#[derive(Debug, clap::Args)]
pub struct DevCertsArgs {
    /// Where to put them
    #[arg(long, default_value = "certs")]
    dir: PathBuf,
    /// Overwrites what is there: existing tokens, trust in the CA and ids of queries become void
    #[arg(long)]
    force: bool,
    /// A certificate for this host too, in NAME.pem and NAME-key.pem: of what else speaks TLS beside the gate
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    also: Vec<String>,
}

/// A name that is a host's and a file's.
fn host_name(text: &str) -> Result<String, String> {
    let is_label = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_label && !text.is_empty() && !text.starts_with('-') {
        Ok(text.to_owned())
    } else {
        Err("expected letters, digits and hyphens".to_owned())
    }
}

/// Why nothing, or not all, was made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("already there: {0}; --force overwrites all files")]
    Exists(String),
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("cannot make a token key: {0}")]
    TokenKey(#[from] jsonwebtoken::errors::Error),
    #[error("cannot write a JWKS: {0}")]
    Jwks(#[from] serde_json::Error),
    #[error("no random numbers from the system")]
    Random,
}

/// A file to make.
pub(super) struct Made {
    name: String,
    is_private: bool,
    text: String,
    about: String,
}

/// Runs the command.
#[must_use]
pub fn run(args: &DevCertsArgs) -> ExitCode {
    match make(args) {
        Ok(files) => {
            for file in files {
                say(&format!("{:<28} {}", args.dir.join(&file.name).display(), file.about));
            }
            ExitCode::SUCCESS
        }
        Err(fault) => fail(&format!("dev-certs: {fault}")),
    }
}

/// Makes the files; what is there already is only overwritten by force.
pub(super) fn make(args: &DevCertsArgs) -> Result<Vec<Made>, Fault> {
    let files = generate(&args.also)?;
    write_all(&args.dir, &files, args.force)?;
    Ok(files)
}

fn generate(also: &[String]) -> Result<Vec<Made>, Fault> {
    let authority = Authority::new()?;
    let (server, server_key) = authority.certificate("msq-gate", &SERVER_NAMES)?;
    let token_key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let public = public_jwk(&token_key.serialize_pem())?;
    let mut id_key = [0; ID_KEY_BYTES];
    aws_lc_rs::rand::fill(&mut id_key).map_err(|_| Fault::Random)?;
    let mut files = vec![
        public_file("ca.pem", authority.certificate.clone(), "the CA's certificate, for clients to trust"),
        private_file("ca-key.pem", authority.key.clone(), "the CA's key, which nothing else needs"),
        public_file("server.pem", server, "the server's certificate, for localhost, 127.0.0.1 and ::1"),
        private_file("server-key.pem", server_key, "the server's key"),
        private_file("token-key.pem", token_key.serialize_pem(), "the key that dev-token signs with (ES256)"),
        public_file(
            "token-jwks.json",
            serde_json::to_string_pretty(&JwkSet { keys: vec![public] })? + "\n",
            "its public half, an issuer's keys_file",
        ),
        private_file("id-key", STANDARD.encode(id_key) + "\n", "the key that signs ids of queries, [ids] key_file"),
    ];
    for name in also {
        let (certificate, key) = authority.certificate(name, &[&[name.as_str()], &SERVER_NAMES[..]].concat())?;
        files.push(public_file(&format!("{name}.pem"), certificate, &format!("a certificate for {name}")));
        files.push(private_file(&format!("{name}-key.pem"), key, "its key"));
    }
    Ok(files)
}

fn public_file(name: &str, text: String, about: &str) -> Made {
    Made { name: name.to_owned(), is_private: false, text, about: about.to_owned() }
}

fn private_file(name: &str, text: String, about: &str) -> Made {
    Made { is_private: true, ..public_file(name, text, about) }
}

/// Who signs the certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Result<Self, Fault> {
        let key = KeyPair::generate()?;
        let mut params = valid(CertificateParams::new(Vec::new())?, "msq-gate development CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let (certificate, pem) = (params.self_signed(&key)?.pem(), key.serialize_pem());
        Ok(Self { issuer: Issuer::new(params, key), certificate, key: pem })
    }

    /// A certificate for a server of these names, and its key.
    fn certificate(&self, title: &str, names: &[&str]) -> Result<(String, String), Fault> {
        let key = KeyPair::generate()?;
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = valid(CertificateParams::new(names)?, title);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok((certificate, key.serialize_pem()))
    }
}

fn valid(mut params: CertificateParams, name: &str) -> CertificateParams {
    params.distinguished_name.push(DnType::CommonName, name);
    // An hour back, for clients whose clock is late.
    params.not_before = OffsetDateTime::now_utc() - Duration::hours(1);
    params.not_after = OffsetDateTime::now_utc() + Duration::days(VALID_DAYS);
    params
}

/// The public half of an ES256 key; its `kid` is its thumbprint (RFC 7638).
pub(super) fn public_jwk(private_pem: &str) -> Result<Jwk, jsonwebtoken::errors::Error> {
    let key = EncodingKey::from_ec_pem(private_pem.as_bytes())?;
    let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256)?;
    jwk.common = CommonParameters {
        key_id: Some(jwk.thumbprint(ThumbprintHash::SHA256)?),
        public_key_use: Some(PublicKeyUse::Signature),
        ..jwk.common
    };
    Ok(jwk)
}

fn write_all(dir: &Path, files: &[Made], force: bool) -> Result<(), Fault> {
    let existing: Vec<_> = files.iter().map(|file| dir.join(&file.name)).filter(|path| path.exists()).collect();
    if !force && !existing.is_empty() {
        let names: Vec<_> = existing.iter().map(|path| path.display().to_string()).collect();
        return Err(Fault::Exists(names.join(", ")));
    }
    fs::create_dir_all(dir).map_err(|error| Fault::File(dir.to_owned(), error))?;
    for file in files {
        let path = dir.join(&file.name);
        write(&path, file).map_err(|error| Fault::File(path, error))?;
    }
    Ok(())
}

/// Made anew, so that an older file's wider mode is not kept and no other process holds it open.
fn write(path: &Path, file: &Made) -> io::Result<()> {
    if path.exists() {
        fs::remove_file(path)?;
    }
    let mode = if file.is_private { 0o600 } else { 0o644 };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(file.text.as_bytes())
}
