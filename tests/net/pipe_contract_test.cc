// The contract suites on pipes in memory, in virtual time: with the buffers of a kernel, and with tiny ones that cut
// everything to pieces. Blocking functions run on fibers there.
#include <array>
#include <span>

#include "pipette/inmem/pipe.h"
#include "pipette/inmem/world.h"

#include "tests/net/blocking_contract.h"
#include "tests/net/connection_contract.h"
#include "tests/net/listener_contract.h"

namespace pipette::net {
namespace {

class PipeTransport final : public Transport {
 public:
  explicit PipeTransport(const net::ChannelOptions& options) { world_.network().set_pipe_options(options); }

  Runtime& runtime() override { return world_.runtime(); }
  bool step() override { return world_.step(); }
  Address any_address() override { return Address::ipv4({127, 0, 0, 1}, 0); }
  void exhaust_descriptors(const Address& listening) override {
    world_.network().fail_accept(listening, Errc::too_many_open_files);
  }

 private:
  inmem::World world_;
};

std::unique_ptr<Transport> make_pipe() { return std::make_unique<PipeTransport>(net::ChannelOptions()); }

std::unique_ptr<Transport> make_tiny_pipe() {
  net::ChannelOptions tiny{.max_read_bytes = 3, .max_write_bytes = 5};
  tiny.with_capacity(64);
  return std::make_unique<PipeTransport>(tiny);
}

const auto kPipes = testing::Values(TransportCase{"Pipe", make_pipe}, TransportCase{"TinyPipe", make_tiny_pipe});

INSTANTIATE_TEST_SUITE_P(InMemory, ConnectionContract, kPipes, case_name);
INSTANTIATE_TEST_SUITE_P(InMemory, ListenerContract, kPipes, case_name);
INSTANTIATE_TEST_SUITE_P(InMemory, BlockingContract, testing::Values(TransportCase{"Fibers", make_pipe}), case_name);

// A kernel whose peer already has the FIN hides this reset from readers, though it may also lose them the last octets.
// In memory the mistake always shows: a server that does not linger over unread input fails its tests.
TEST(Pipe, ShowsReadersThatTheirPeerDiedWithUnreadInput) {
  inmem::World world;
  auto [here, there] = inmem::make_pipe(world.loop());
  std::array<char, 16> room;
  const Bytes unread = "unread";
  ASSERT_THAT(there->try_write(std::span(&unread, 1)), gives(6));
  ASSERT_TRUE(here->try_close_write());
  here.reset();
  EXPECT_THAT(there->try_read(room), fails_with(std::errc::connection_reset));
}

}  // namespace
}  // namespace pipette::net
