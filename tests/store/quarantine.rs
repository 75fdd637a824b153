//! A patient whom the engine cannot advance is set aside; the others of the group proceed.

use tend::app::advance::Ticked;
use tend_engine::StaffId;

use tend::ports::Clock;

use super::world::{World, on_both};

on_both!(a_broken_record_is_set_aside_alone, a_version_that_is_gone_sets_its_patients_aside);

async fn a_broken_record_is_set_aside_alone(world: World) {
    let mut patients = Vec::new();
    for n in 1..=7 {
        patients.push(world.enroll(&format!("Patient {n}"), &format!("+44770090000{n}")).await.patient);
    }
    let broken = if world.file().is_some() { "x'7b'" } else { "'{'::bytea" };
    let one = if world.file().is_some() {
        format!("x'{}'", patients[3].to_string().replace('-', ""))
    } else {
        format!("'{}'", patients[3])
    };
    let kept = if world.file().is_some() { "hex(state)" } else { "encode(state, 'hex')" };
    let state = world.texts(&format!("select {kept} from patient where id = {one}")).await.remove(0);
    world.sql(&format!("update patient set state = {broken} where id = {one}")).await;
    world.clock.set(world.app.store.next_wake().await.expect("a look").expect("somebody is due"));
    let (ticked, _) = world.app.tick().await.expect("a tick");
    assert_eq!(ticked, Ticked { advanced: 6, quarantined: 1 });
    assert_eq!(world.number("select count(*) from task where key = 'quarantine' and role = 'nurse_lead' and state = 'open'").await, 1);
    let (again, _) = world.app.tick().await.expect("a tick");
    assert_eq!(again, Ticked::default(), "it is not looked at again by itself");

    let whole =
        if world.file().is_some() { format!("x'{state}'") } else { format!("decode('{state}', 'hex')") };
    world.sql(&format!("update patient set state = {whole} where id = {one}")).await;
    let mut tx = world.app.store.begin();
    assert!(tx.release(patients[3], StaffId(1), world.clock.now()).await.expect("a release"));
    tx.commit().await.expect("a commit");
    let (ticked, _) = world.app.tick().await.expect("a tick");
    assert_eq!(ticked, Ticked { advanced: 1, quarantined: 0 });
    world.is_sound().await;
}

async fn a_version_that_is_gone_sets_its_patients_aside(world: World) {
    world.enroll("Anna Example", "+447700900001").await;
    let sites = world.app.live().sites.clone();
    world.app.set_live(tend::app::Live { sites, ..tend::app::Live::default() });
    world.clock.set(world.app.store.next_wake().await.expect("a look").expect("somebody is due"));
    let (ticked, _) = world.app.tick().await.expect("a tick");
    assert_eq!(ticked, Ticked { advanced: 0, quarantined: 1 });
    let reasons = world.texts("select quarantined from patient").await;
    assert!(reasons[0].contains("not in the library"), "{reasons:?}");
    let findings = world.app.doctor(false).await.expect("a check");
    assert_eq!((findings.quarantined, findings.differences), (1, Vec::new()));
}
