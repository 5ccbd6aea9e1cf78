// The contract suites on the kernel's sockets, TCP on loopback and Unix sockets, and on the pool's threads.
#include "tests/net/blocking_contract.h"
#include "tests/net/connection_contract.h"
#include "tests/net/listener_contract.h"
#include "tests/tcp/socket_transport.h"

namespace pipette::net {
namespace {

std::unique_ptr<Transport> make_tcp4() { return std::make_unique<test::TcpTransport>("127.0.0.1:0"); }
std::unique_ptr<Transport> make_unix() { return std::make_unique<test::UnixTransport>(); }

const auto kSockets = testing::Values(TransportCase{"Tcp", make_tcp4}, TransportCase{"Unix", make_unix});

INSTANTIATE_TEST_SUITE_P(Sockets, ConnectionContract, kSockets, case_name);
INSTANTIATE_TEST_SUITE_P(Sockets, ListenerContract, kSockets, case_name);
INSTANTIATE_TEST_SUITE_P(Sockets, BlockingContract, testing::Values(TransportCase{"Threads", make_tcp4}), case_name);

}  // namespace
}  // namespace pipette::net
