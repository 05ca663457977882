//! Three brokers, of which any one may be gone.

use pipeline_tests::cluster::Cluster;
use pipeline_tests::flow::Flow;
use pipeline_tests::own;

#[test]
fn any_one_of_three_brokers_killed_or_restarted_in_turn() {
    let Some(scripts) = own::scripts("a cluster of three") else { return };
    let cluster = Cluster::start(&scripts);
    let flow = Flow::start("cluster", cluster.addresses(), cluster.addresses(), (41, 40_000, 400));
    flow.wait_for(1_000);
    for ((number, node), by) in (1..).zip(cluster.nodes()).zip(["KILL", "TERM", "KILL"]) {
        node.end(by);
        let took = flow.wait_for_more(500);
        eprintln!("node {number} ended by SIG{by}: readers see 500 more sightings after {took:.1?}");
        node.start();
        flow.wait_for_more(500);
    }
    flow.finish();
}
