//! What an operator reads on standard error: a carrier that cannot be reached is said there, and nobody's name or address is.

use std::time::Duration;

use crate::kill::ward::Ward;
use crate::support::process::wait_until;
use crate::support::smtp::SmtpFault;

const PATIENTS: usize = 3;
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carrier_that_cannot_be_reached_is_said_and_no_patient_is_named() {
    let ward = Ward::on_sqlite().await;
    ward.server.refuse();
    ward.server.fail_for("p1@patients.example", SmtpFault::Recipient(550));
    ward.enroll_due(PATIENTS).await;
    let process = ward.start(None);
    tokio::task::block_in_place(|| {
        wait_until("the log names the carrier's trouble", LIMIT, None, || {
            ward.said().contains("the carrier cannot be reached and is left alone for")
        });
    });
    ward.server.accept();
    ward.wait_for_taken(PATIENTS - 1, LIMIT).await;
    ward.wait_until_settled(LIMIT).await;
    process.stop();
    let said = ward.said();
    let told: Vec<&str> =
        said.lines().filter(|line| line.contains("patients.example") || line.contains("Patient ")).collect();
    assert!(told.is_empty(), "{told:?}");
    assert!(said.lines().any(|line| line.contains(" WARN ") && line.contains("tend")), "{said}");
    assert!(said.contains("nothing is published yet") || said.contains("no account yet"), "{said}");
}
