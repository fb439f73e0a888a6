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
    name: &'static str,
    is_private: bool,
    text: String,
    about: &'static str,
}

/// Runs the command.
#[must_use]
pub fn run(args: &DevCertsArgs) -> ExitCode {
    match make(args) {
        Ok(files) => {
            for file in files {
                say(&format!("{:<28} {}", args.dir.join(file.name).display(), file.about));
            }
            ExitCode::SUCCESS
        }
        Err(fault) => fail(&format!("dev-certs: {fault}")),
    }
}

/// Makes the files; what is there already is only overwritten by force.
pub(super) fn make(args: &DevCertsArgs) -> Result<Vec<Made>, Fault> {
    let files = generate()?;
    write_all(&args.dir, &files, args.force)?;
    Ok(files)
}

fn generate() -> Result<Vec<Made>, Fault> {
    let (ca, ca_key, server, server_key) = certificates()?;
    let token_key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let public = public_jwk(&token_key.serialize_pem())?;
    let mut id_key = [0; ID_KEY_BYTES];
    aws_lc_rs::rand::fill(&mut id_key).map_err(|_| Fault::Random)?;
    let public_file = |name, text, about| Made { name, is_private: false, text, about };
    let private_file = |name, text, about| Made { name, is_private: true, text, about };
    Ok(vec![
        public_file("ca.pem", ca, "the CA's certificate, for clients to trust"),
        private_file("ca-key.pem", ca_key, "the CA's key, which nothing else needs"),
        public_file("server.pem", server, "the server's certificate, for localhost, 127.0.0.1 and ::1"),
        private_file("server-key.pem", server_key, "the server's key"),
        private_file("token-key.pem", token_key.serialize_pem(), "the key that dev-token signs with (ES256)"),
        public_file(
            "token-jwks.json",
            serde_json::to_string_pretty(&JwkSet { keys: vec![public] })? + "\n",
            "its public half, an issuer's keys_file",
        ),
        private_file("id-key", STANDARD.encode(id_key) + "\n", "the key that signs ids of queries, [ids] key_file"),
    ])
}

/// CA certificate, its key, server certificate, its key.
fn certificates() -> Result<(String, String, String, String), Fault> {
    let ca_key = KeyPair::generate()?;
    let mut ca = valid(CertificateParams::new(Vec::new())?, "msq-gate development CA");
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_certificate = ca.self_signed(&ca_key)?.pem();

    let server_key = KeyPair::generate()?;
    let mut server = valid(CertificateParams::new(SERVER_NAMES.map(str::to_owned).to_vec())?, "msq-gate");
    server.is_ca = IsCa::ExplicitNoCa;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    let ca_key_pem = ca_key.serialize_pem();
    let certificate = server.signed_by(&server_key, &Issuer::new(ca, ca_key))?.pem();
    Ok((ca_certificate, ca_key_pem, certificate, server_key.serialize_pem()))
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
    let existing: Vec<_> = files.iter().map(|file| dir.join(file.name)).filter(|path| path.exists()).collect();
    if !force && !existing.is_empty() {
        let names: Vec<_> = existing.iter().map(|path| path.display().to_string()).collect();
        return Err(Fault::Exists(names.join(", ")));
    }
    fs::create_dir_all(dir).map_err(|error| Fault::File(dir.to_owned(), error))?;
    for file in files {
        let path = dir.join(file.name);
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
