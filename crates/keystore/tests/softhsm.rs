//! Keys in SoftHSM, a token in software behind the same interface as the ones in hardware.
//!
//! A module is loaded once for a process and reads its settings from the environment, so each test
//! runs in a process of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "a test that is left out says so")]

use std::{
    env, fs,
    path::PathBuf,
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::Mechanism,
    object::{Attribute, AttributeType, ObjectClass},
    session::{Session, UserType},
    types::AuthPin,
};
use etibar_credential::{
    UnixSeconds,
    jose::{PublicKey, SignError, Signer, SoftwareKey},
    x509::{
        Subject, Validity, chain_from_pem, chain_to_pem, issue_leaf, self_signed_authority,
        verify_chain,
    },
};
use etibar_keystore::{IssuerKey, KeyConfig, KeyFault, Owner, PinSource, TokenConfig};
use etibar_primitives::{BlockTime, DurationMs};
use x509_cert::{der::Decode as _, request::CertReq};

const NOW: BlockTime = BlockTime(1_800_000_000_000);
const OWNER: Owner<'_> = Owner { name: "Agency (sample)", base_url: "https://agency.example" };
const PIN: &str = "7351-sample";
/// Where distributions put the module.
const MODULES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
];
/// Names the folder of the test that runs in this process.
const FOLDER: &str = "ETIBAR_TEST_TOKENS";

/// A folder with a token labelled `agency`.
struct World {
    folder: PathBuf,
    module: PathBuf,
}

/// Runs `body` in a process of its own, with a token of its own.
fn with_token(test: &str, body: impl FnOnce(&World)) {
    let Some(module) = MODULES.iter().map(PathBuf::from).find(|path| path.exists()) else {
        assert!(env::var_os("CI").is_none(), "SoftHSM is not installed");
        println!("SKIPPED {test}: SoftHSM is not installed");
        return;
    };
    if let Some(folder) = env::var_os(FOLDER) {
        return body(&World { folder: folder.into(), module });
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tokens")).unwrap();
    fs::write(folder.path().join("pin"), format!("{PIN}\n")).unwrap();
    let settings = folder.path().join("softhsm2.conf");
    let tokens = folder.path().join("tokens");
    fs::write(&settings, format!("directories.tokendir = {}\n", tokens.display())).unwrap();
    let label = ["--init-token", "--free", "--label", "agency", "--pin", PIN, "--so-pin", "1234"];
    let mut command = Command::new("softhsm2-util");
    let made = command.args(label).env("SOFTHSM2_CONF", &settings).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut own = Command::new(env::current_exe().unwrap());
    own.args(["--exact", test, "--nocapture"]);
    own.env("SOFTHSM2_CONF", &settings).env(FOLDER, folder.path());
    let output = own.env("ETIBAR_TEST_PIN", PIN).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

impl World {
    fn token(&self) -> TokenConfig {
        TokenConfig {
            module: self.module.clone(),
            token: "agency".to_owned(),
            key: "issuer".to_owned(),
            pin: PinSource::File(self.folder.join("pin")),
            chain: self.folder.join("chain.pem"),
            sessions: 2,
            timeout_ms: DurationMs(5_000),
        }
    }

    fn create(&self) -> IssuerKey {
        etibar_keystore::create(&KeyConfig::Pkcs11(self.token()), &OWNER, NOW).unwrap()
    }

    /// Made and opened with one session, so that one signature tells how all fare.
    fn open_one_session(&self) -> IssuerKey {
        drop(self.create());
        self.open(|token| token.sessions = 1).unwrap()
    }

    fn open(&self, change: impl FnOnce(&mut TokenConfig)) -> Result<IssuerKey, KeyFault> {
        let mut token = self.token();
        change(&mut token);
        IssuerKey::open(&KeyConfig::Pkcs11(token), &OWNER, NOW)
    }

    fn code(&self, change: impl FnOnce(&mut TokenConfig)) -> &'static str {
        self.open(change).expect_err("a fault").code()
    }

    /// A session beside ours, as another user of the same module has it.
    fn beside(&self) -> (Pkcs11, Session) {
        let module = Pkcs11::new(&self.module).unwrap();
        // Whether it runs already depends on the test.
        let _started = module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
        let slots = module.get_slots_with_initialized_token().unwrap();
        let session = module.open_rw_session(slots[0]).unwrap();
        (module, session)
    }
}

fn signs(key: &IssuerKey) -> bool {
    let signature = key.signer.sign(b"message");
    signature.is_ok_and(|signature| key.signer.public_key().verifies(b"message", &signature))
}

/// Waits for what the threads do by themselves.
fn eventually(mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "it did not happen");
        thread::yield_now();
    }
}

#[test]
fn a_key_made_in_a_token_signs_under_its_chain_and_is_the_same_ever_after() {
    with_token("a_key_made_in_a_token_signs_under_its_chain_and_is_the_same_ever_after", |world| {
        let made = world.create();
        assert!(signs(&made));
        assert_eq!(made.signer.fault(), None);
        let chain = verify_chain(made.signer.chain(), NOW.into()).unwrap();
        assert_eq!(chain.leaf_key, made.signer.public_key());
        assert_eq!(chain.authority_digest, made.authority.0);
        assert_eq!(chain.uris, [OWNER.base_url]);
        let opened = world
            .open(|token| token.pin = PinSource::Environment("ETIBAR_TEST_PIN".to_owned()))
            .unwrap();
        assert_eq!(opened.authority, made.authority);
        assert!(signs(&opened));
        let again = etibar_keystore::create(&KeyConfig::Pkcs11(world.token()), &OWNER, NOW);
        assert_eq!(again.unwrap_err().code(), "key_exists");
    });
}

#[test]
fn the_private_keys_do_not_leave_the_token() {
    with_token("the_private_keys_do_not_leave_the_token", |world| {
        world.create();
        let (_module, session) = world.beside();
        let pin = AuthPin::from(PIN);
        // The program is logged in while the key is open; here it is closed.
        let _already = session.login(UserType::User, Some(&pin));
        for label in ["issuer", "issuer-authority"] {
            let template =
                [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Label(label.into())];
            let [key] = session.find_objects(&template).unwrap()[..] else { panic!("one {label}") };
            let value = session.get_attributes(key, &[AttributeType::Value]);
            let given = value.unwrap_or_default();
            assert!(
                !given
                    .iter()
                    .any(|its| matches!(its, Attribute::Value(bytes) if !bytes.is_empty()))
            );
        }
    });
}

#[test]
fn each_thing_that_is_not_as_configured_has_its_own_code() {
    with_token("each_thing_that_is_not_as_configured_has_its_own_code", |world| {
        assert_eq!(world.code(|_| ()), "key_file");
        world.create();
        assert_eq!(world.code(|token| token.token = "other".to_owned()), "key_token_missing");
        assert_eq!(world.code(|token| token.key = "other".to_owned()), "key_missing");
        assert_eq!(world.code(|token| token.key = "issuer-authority".to_owned()), "key_chain_key");
        let none = world.folder.join("none");
        assert_eq!(world.code(|token| token.module = none.clone()), "key_module");
        assert_eq!(world.code(|token| token.pin = PinSource::File(none.clone())), "key_file");
        let unset = PinSource::Environment("ETIBAR_TEST_UNSET".to_owned());
        assert_eq!(world.code(|token| token.pin = unset), "key_pin_missing");
        let chain = world.folder.join("bad.pem");
        fs::write(&chain, "no certificate").unwrap();
        assert_eq!(world.code(|token| token.chain = chain.clone()), "key_content");
        let other = Owner { base_url: "https://other.example", ..OWNER };
        let config = KeyConfig::Pkcs11(world.token());
        assert_eq!(IssuerKey::open(&config, &other, NOW).unwrap_err().code(), "key_chain_url");
        let late = BlockTime(NOW.0 * 2);
        let expired = IssuerKey::open(&config, &OWNER, late).unwrap_err();
        assert_eq!(expired.code(), "certificate_expired");
    });
}

#[test]
fn a_wrong_pin_is_told_and_no_text_holds_it() {
    with_token("a_wrong_pin_is_told_and_no_text_holds_it", |world| {
        world.create();
        // The module keeps a program logged in while any session lives: let the threads end.
        let wrong = world.folder.join("wrong");
        fs::write(&wrong, "0000-wrong").unwrap();
        eventually(|| {
            let opened = world.open(|token| token.pin = PinSource::File(wrong.clone()));
            opened.is_err_and(|error| {
                let (code, said) = (error.code(), format!("{error} {error:?}"));
                assert!(!said.contains("0000-wrong"), "{said}");
                code == "key_pin_incorrect"
            })
        });
        assert!(signs(&world.open(|_| ()).unwrap()));
    });
}

#[test]
fn a_key_that_the_token_would_give_out_is_refused() {
    with_token("a_key_that_the_token_would_give_out_is_refused", |world| {
        world.create();
        let (_module, session) = world.beside();
        let _already = session.login(UserType::User, Some(&AuthPin::from(PIN)));
        let p256 = vec![0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
        let label = Attribute::Label("loose".into());
        let public = [Attribute::Token(true), Attribute::EcParams(p256), label.clone()];
        let private = [
            Attribute::Token(true),
            Attribute::Sign(true),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
            label,
        ];
        session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private).unwrap();
        assert_eq!(world.code(|token| token.key = "loose".to_owned()), "key_unfit");
    });
}

#[test]
fn signing_goes_on_after_the_token_has_logged_everybody_out() {
    with_token("signing_goes_on_after_the_token_has_logged_everybody_out", |world| {
        let key = world.create();
        let (_module, session) = world.beside();
        for _ in 0..3 {
            session.logout().unwrap();
            assert!(signs(&key));
        }
        assert_eq!(key.signer.fault(), None);
    });
}

#[test]
fn signing_goes_on_after_all_sessions_are_gone() {
    with_token("signing_goes_on_after_all_sessions_are_gone", |world| {
        let key = world.create();
        let (module, session) = world.beside();
        drop(session);
        module.finalize().unwrap();
        assert!(signs(&key));
        assert_eq!(key.signer.fault(), None);
    });
}

#[test]
fn a_key_that_is_destroyed_shows_in_the_health_and_refuses_to_sign() {
    with_token("a_key_that_is_destroyed_shows_in_the_health_and_refuses_to_sign", |world| {
        let key = world.open_one_session();
        let (_module, session) = world.beside();
        for object in session.find_objects(&[Attribute::Label("issuer".into())]).unwrap() {
            session.destroy_object(object).unwrap();
        }
        assert_eq!(key.signer.sign(b"message"), Err(SignError::Unavailable));
        assert_eq!(key.signer.fault(), Some("key_missing"));
    });
}

#[test]
fn a_changed_pin_is_refused_once_and_not_tried_again() {
    with_token("a_changed_pin_is_refused_once_and_not_tried_again", |world| {
        let key = world.open_one_session();
        let (_module, session) = world.beside();
        session.set_pin(&AuthPin::from(PIN), &AuthPin::from("another-one")).unwrap();
        session.logout().unwrap();
        for _ in 0..5 {
            assert_eq!(key.signer.sign(b"message"), Err(SignError::Unavailable));
        }
        assert_eq!(key.signer.fault(), Some("key_pin_incorrect"));
        // The token still takes the right one: it was not locked by tries.
        session.login(UserType::User, Some(&AuthPin::from("another-one"))).unwrap();
    });
}

#[test]
fn many_sign_at_once_on_a_runtime_that_has_one_thread() {
    with_token("many_sign_at_once_on_a_runtime_that_has_one_thread", |world| {
        let signer = Arc::clone(&world.create().signer);
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).build().unwrap();
        runtime.block_on(async {
            let task = |signer: Arc<dyn Signer>| {
                tokio::spawn(async move { signer.sign(b"message").unwrap() })
            };
            let tasks: Vec<_> = (0..64).map(|_| task(Arc::clone(&signer))).collect();
            for task in tasks {
                assert!(signer.public_key().verifies(b"message", &task.await.unwrap()));
            }
        });
    });
}

#[test]
fn an_authority_outside_may_certify_the_key_in_the_token() {
    with_token("an_authority_outside_may_certify_the_key_in_the_token", |world| {
        let config = KeyConfig::Pkcs11(world.token());
        let request = etibar_keystore::request(&config, &OWNER).unwrap();
        let public = requested(&request);
        let again = etibar_keystore::request(&config, &OWNER).unwrap();
        assert!(public == requested(&again), "the same key is asked for");
        fs::write(world.folder.join("chain.pem"), certify(&public)).unwrap();
        let key = world.open(|_| ()).unwrap();
        assert!(key.signer.public_key() == public);
        assert!(signs(&key));
        let text = fs::read_to_string(world.folder.join("chain.pem")).unwrap();
        assert_eq!(chain_from_pem(&text).unwrap(), key.signer.chain());
        let own = world.beside().1.find_objects(&[Attribute::Label("issuer-authority".into())]);
        assert!(own.unwrap().is_empty(), "the token has no authority of its own");
    });
}

/// The key in a request, which has to be a whole PKCS#10 for this owner.
fn requested(pem: &str) -> PublicKey {
    // The blocks differ in their label alone.
    let text = pem.replace(" REQUEST", "");
    let [der] = &chain_from_pem(&text).unwrap()[..] else { panic!("one block") };
    assert!(pem.starts_with("-----BEGIN CERTIFICATE REQUEST-----"), "{pem}");
    let request = CertReq::from_der(der).unwrap();
    let spki = request.info.public_key.subject_public_key.as_bytes().unwrap();
    assert!(request.info.subject.to_string().contains("Agency (sample)"));
    PublicKey::from_sec1(spki).unwrap()
}

/// A chain over `key` by an authority elsewhere.
fn certify(key: &PublicKey) -> String {
    let authority = SoftwareKey::generate(&mut rand::rng());
    let validity = Validity { not_before: UnixSeconds(0), not_after: UnixSeconds(4_000_000_000) };
    let subject = Subject { common_name: "CA", organization: "Elsewhere", uri: None };
    let root = self_signed_authority(&authority, &subject, validity, &[1; 8]).unwrap();
    let subject =
        Subject { common_name: "Issuer", organization: OWNER.name, uri: Some(OWNER.base_url) };
    let leaf = issue_leaf(&authority, &root, key, &subject, validity, &[2; 8]).unwrap();
    chain_to_pem(&[leaf, root])
}
