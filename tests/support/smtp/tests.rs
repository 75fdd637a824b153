//! The scripted SMTP server, spoken to by lettre as the product does.

use lettre::message::{MultiPart, header};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::super::log;
use super::*;

type Client = AsyncSmtpTransport<Tokio1Executor>;

fn client(server: &SmtpServer) -> Client {
    Client::builder_dangerous("127.0.0.1")
        .port(server.address().port())
        .timeout(Some(Duration::from_secs(5)))
        .build()
}

fn mail(to: &str) -> Message {
    Message::builder()
        .from("Ward <ward@hospital.example>".parse().expect("an address"))
        .to(to.parse().expect("an address"))
        .message_id(Some(format!("<{to}.1@hospital.example>")))
        .subject("今天感觉如何？")
        .header(header::MIME_VERSION_1_0)
        .multipart(MultiPart::alternative_plain_html(
            "点开链接\n.\n..dots".to_owned(),
            "<p>点开链接</p>".to_owned(),
        ))
        .expect("a mail")
}

/// The code that the server answered, 250 when it took the mail, 0 when no answer came.
async fn send(client: &Client, to: &str) -> u16 {
    let sent = tokio::time::timeout(Duration::from_secs(5), client.send(mail(to))).await.expect("no stall");
    match sent {
        Ok(reply) => reply.code().into(),
        Err(error) => error.status().map_or(0, u16::from),
    }
}

fn events(server: &SmtpServer) -> Vec<String> {
    let told = log::read(server.log());
    let told = told.iter().filter(|line| line["event"] == "accepted" || line["event"] == "refused");
    told.map(|line| format!("{} {}", line["event"].as_str().unwrap_or(""), line["to"])).collect()
}

#[tokio::test]
async fn a_mail_arrives_whole_and_is_in_the_log() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = SmtpServer::start(&folder.path().join("smtp.log"));
    assert_eq!(send(&client(&server), "li@patients.example").await, 250);
    let taken = server.wait_for(1, Duration::from_secs(5));
    let mail = &taken[0];
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("ward@hospital.example", ["li@patients.example".into()].as_slice())
    );
    assert_eq!((mail.connection, mail.encrypted), (1, false));
    assert_eq!(mail.header("Subject"), "今天感觉如何？");
    assert_eq!(mail.part("text/plain").replace('\r', "").trim_end(), "点开链接\n.\n..dots");
    assert_eq!(mail.part("text/html").trim_end(), "<p>点开链接</p>");
    let log = log::read(server.log());
    let accepted = log.iter().find(|line| line["event"] == "accepted").expect("logged");
    assert_eq!(accepted["message_id"], "<li@patients.example.1@hospital.example>");
}

#[tokio::test]
async fn starttls_is_spoken_with_a_certificate_that_the_client_can_check() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = SmtpServer::start_with_tls(&folder.path().join("smtp.log"));
    let trusting = Certificate::from_pem(server.certificate().as_bytes()).expect("a certificate");
    let tls = TlsParameters::builder("localhost".into()).add_root_certificate(trusting).build().expect("TLS");
    let port = server.address().port();
    let client = Client::builder_dangerous("127.0.0.1").port(port).tls(Tls::Required(tls)).build();
    assert_eq!(send(&client, "li@patients.example").await, 250);
    assert!(server.taken()[0].encrypted);

    let strict = Tls::Required(TlsParameters::new("localhost".into()).expect("TLS"));
    let distrusting = Client::builder_dangerous("127.0.0.1").port(port).tls(strict).build();
    assert_eq!(send(&distrusting, "li@patients.example").await, 0, "nobody vouches for the certificate");
    assert_eq!(server.taken().len(), 1);
}

#[tokio::test]
async fn faults_come_in_order_and_the_log_tells_what_was_taken() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = SmtpServer::start(&folder.path().join("smtp.log"));
    let faults = [
        (SmtpFault::Greeting(421), 421),
        (SmtpFault::Recipient(450), 450),
        (SmtpFault::Recipient(550), 550),
        (SmtpFault::AfterData(451), 451),
        (SmtpFault::CutInData, 0),
        (SmtpFault::CutAfterDot, 0),
        (SmtpFault::StallAfterData(Duration::from_millis(200)), 250),
    ];
    for (index, (fault, code)) in faults.into_iter().enumerate() {
        server.fail_next(fault.clone());
        // A new client each time: lettre keeps connections, and `Greeting` asks for a new one.
        assert_eq!(send(&client(&server), &format!("p{index}@patients.example")).await, code, "{fault:?}");
    }
    let expected = [
        "refused []",
        r#"refused ["p1@patients.example"]"#,
        r#"refused ["p2@patients.example"]"#,
        r#"refused ["p3@patients.example"]"#,
        r#"refused ["p4@patients.example"]"#,
        r#"accepted ["p5@patients.example"]"#,
        r#"accepted ["p6@patients.example"]"#,
    ];
    assert_eq!(events(&server), expected);
    assert_eq!(server.taken().len(), 2);
}

#[tokio::test]
async fn one_recipient_can_fail_until_healed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = SmtpServer::start(&folder.path().join("smtp.log"));
    let client = client(&server);
    server.fail_for("bad@patients.example", SmtpFault::Recipient(550));
    assert_eq!(send(&client, "good@patients.example").await, 250);
    assert_eq!(send(&client, "bad@patients.example").await, 550);
    assert_eq!(send(&client, "bad@patients.example").await, 550);
    server.heal();
    assert_eq!(send(&client, "bad@patients.example").await, 250);
}

#[tokio::test]
async fn a_refusing_server_comes_back_on_its_port() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = SmtpServer::start(&folder.path().join("smtp.log"));
    let client = client(&server);
    assert_eq!(send(&client, "a@patients.example").await, 250);
    server.refuse();
    assert_eq!(send(&client, "b@patients.example").await, 0);
    server.accept();
    assert_eq!(send(&client, "c@patients.example").await, 250);
    assert_eq!(server.taken().len(), 2);
}
