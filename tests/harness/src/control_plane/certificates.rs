//! The keys of one control plane. They are made anew for each and die with its folder.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use super::{ControlPlaneError, files};

/// Kubernetes lets members of this group do everything, whatever the roles say.
const ADMINISTRATORS: &str = "system:masters";

/// A certificate and its key, as PEM files.
#[derive(Debug, Clone)]
pub(super) struct KeyFiles {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// All that a control plane needs to prove who is who.
#[derive(Debug)]
pub(super) struct Certificates {
    /// The authority that signs all the others, without its key: no more certificates are made later.
    pub(super) authority: PathBuf,
    /// For both servers, on the loopback address.
    pub(super) server: KeyFiles,
    /// An administrator.
    pub(super) administrator: KeyFiles,
    /// The controller manager, an administrator too: its controllers then need no service accounts of their own.
    pub(super) controller_manager: KeyFiles,
    /// The key that signs the tokens of service accounts.
    pub(super) service_account_key: PathBuf,
    /// The key that proves the tokens of service accounts.
    pub(super) service_account_public_key: PathBuf,
}

impl Certificates {
    /// Makes them all and writes them into `folder`.
    pub(super) fn create(folder: &Path) -> Result<Self, ControlPlaneError> {
        let authority_key = KeyPair::generate()?;
        let authority_parameters = authority_parameters()?;
        let authority_certificate = authority_parameters.self_signed(&authority_key)?;
        let authority = Issuer::new(authority_parameters, authority_key);
        let authority_file = folder.join("ca.crt");
        files::write(&authority_file, &authority_certificate.pem())?;

        let token_key = KeyPair::generate()?;
        let service_account_key = folder.join("service-accounts.key");
        files::write(&service_account_key, &token_key.serialize_pem())?;
        let service_account_public_key = folder.join("service-accounts.pub");
        files::write(&service_account_public_key, &token_key.public_key_pem())?;

        Ok(Self {
            server: issue(folder, "server", server_parameters()?, &authority)?,
            administrator: issue(
                folder,
                "administrator",
                client_parameters("administrator")?,
                &authority,
            )?,
            controller_manager: issue(
                folder,
                "controller-manager",
                client_parameters("system:kube-controller-manager")?,
                &authority,
            )?,
            authority: authority_file,
            service_account_key,
            service_account_public_key,
        })
    }
}

fn issue(
    folder: &Path,
    name: &str,
    parameters: CertificateParams,
    authority: &Issuer<'_, KeyPair>,
) -> Result<KeyFiles, ControlPlaneError> {
    let key = KeyPair::generate()?;
    let certificate = parameters.signed_by(&key, authority)?;
    let written = KeyFiles {
        certificate: folder.join(format!("{name}.crt")),
        key: folder.join(format!("{name}.key")),
    };
    files::write(&written.certificate, &certificate.pem())?;
    files::write(&written.key, &key.serialize_pem())?;
    Ok(written)
}

fn authority_parameters() -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters
        .distinguished_name
        .push(DnType::CommonName, "control plane of a test");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(parameters)
}

fn server_parameters() -> Result<CertificateParams, rcgen::Error> {
    let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"];
    let mut parameters = CertificateParams::new(names.map(str::to_owned))?;
    parameters
        .distinguished_name
        .push(DnType::CommonName, "kube-apiserver");
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters)
}

/// Kubernetes reads the user from the common name and the groups from the organization.
fn client_parameters(user: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.distinguished_name.push(DnType::CommonName, user);
    parameters
        .distinguished_name
        .push(DnType::OrganizationName, ADMINISTRATORS);
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(parameters)
}
