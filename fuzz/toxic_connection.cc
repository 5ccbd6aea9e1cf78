// A decorated end of a pipe keeps the contract of net/connection.h, whatever toxics come and go: octets arrive in
// order, the end behind all of them, a wait is woken when there is something to try, and nothing hangs once the toxics
// have gone.
#include "pipette/net/toxic_connection.h"

#include <array>
#include <memory>
#include <string>

#include "pipette/inmem/pipe.h"
#include "pipette/inmem/world.h"

#include "fuzz/require.h"
#include "fuzz/toxics_input.h"

namespace pipette::fuzz {
namespace {

struct Wake final : net::Waiter {
  void run() override { was_woken = true; }
  bool was_woken = true;  // nobody waits
};

// One end, and what is known of the stream it writes and of the one it reads.
struct Side {
  std::unique_ptr<net::Connection> connection;
  std::uint64_t written = 0;
  std::uint64_t read = 0;
  bool has_finished = false;
  bool has_aborted = false;
  bool saw_end = false;
  bool saw_error = false;
  Wake reader;  // behind the connection: they die first
  Wake writer;
};

class Run {
 public:
  explicit Run(Numbers numbers) : numbers_(numbers) {
    inmem::PipeEnds ends = inmem::make_pipe(world_.loop(), net::ChannelOptions().with_capacity(1 + numbers_.next()));
    sides_[0].connection = proxy_.wrap(std::move(ends.first), 1);
    sides_[1].connection = std::move(ends.second);
  }

  void play() {
    while (!numbers_.empty()) {
      step(sides_.at(numbers_.below(2)));
      world_.settle();
      for (Side& side : sides_) check_waits(side);
    }
    wind_up();
  }

 private:
  void step(Side& side) {
    switch (numbers_.below(9)) {
      case 0:
      case 1:
        return write(side, 1 + numbers_.next());
      case 2:
      case 3:
        return read(side, 1 + numbers_.next());
      case 4:
        return world_.advance_to(after(world_.now(), numbers_.time()));
      case 5:
        return set_toxics();
      case 6:
        return finish(side);
      case 7:
        if (numbers_.below(8) == 0) abort(side);
        return;
      case 8:
        return wait(side);
    }
  }

  void write(Side& side, std::size_t size) {
    std::string octets;
    for (std::size_t i = 0; i < size; ++i) octets += octet_at(side.written + i);
    const Bytes piece = octets;
    const Result<std::size_t> taken = side.connection->try_write({&piece, 1});
    if (!taken) return require_excuse(side, taken.error());
    require(*taken > 0 && *taken <= size && !side.has_finished && !side.has_aborted);
    side.written += *taken;
  }

  void read(Side& side, std::size_t room) {
    const Side& other = sides_.at(&side == &sides_[0] ? 1 : 0);
    std::string octets(room, '\0');
    const Result<std::size_t> count = side.connection->try_read(octets);
    if (!count) return require_excuse(side, count.error());
    require(!side.has_aborted && *count <= room);
    if (*count == 0) {
      side.saw_end = true;
      if (!is_broken_) require(other.has_finished && side.read == other.written);
      return;
    }
    require(!side.saw_end);
    for (std::size_t i = 0; i < *count; ++i) require(octets[i] == octet_at(side.read + i));
    side.read += *count;
    require(side.read <= other.written);
  }

  void require_excuse(Side& side, const std::error_code& error) const {
    if (error == make_error_code(Errc::would_block)) return;
    side.saw_error = true;
    if (error == make_error_code(Errc::broken_pipe)) return require(side.has_finished);
    if (error == make_error_code(Errc::operation_canceled)) return require(side.has_aborted);
    require(is_broken_ && error == std::errc::connection_reset);
  }

  void finish(Side& side) {
    const Result<void> done = side.connection->try_close_write();
    if (!done) return require_excuse(side, done.error());
    side.has_finished = true;
  }

  void abort(Side& side) {
    side.connection->abort();
    side.has_aborted = true;
    is_broken_ = true;
  }

  void set_toxics() {
    const net::Toxics upstream = read_toxics(numbers_);
    const net::Toxics downstream = read_toxics(numbers_);
    is_broken_ = is_broken_ || !is_survivable(upstream) || !is_survivable(downstream);
    proxy_.set_toxics(upstream, downstream);
  }

  void wait(Side& side) {
    wait(side, net::Direction::read, side.reader);
    wait(side, net::Direction::write, side.writer);
  }
  static void wait(Side& side, net::Direction direction, Wake& wake) {
    if (!wake.was_woken) return;
    wake.was_woken = false;
    side.connection->wait(direction, wake);
  }

  // Whoever waits and was not woken has nothing to try.
  void check_waits(Side& side) {
    if (!side.reader.was_woken) {
      const std::uint64_t before = side.read;
      const bool had_ended = side.saw_end;
      const bool had_error = side.saw_error;
      read(side, 1);
      require(side.read == before && side.saw_end == had_ended && side.saw_error == had_error);
    }
    if (!side.writer.was_woken && !side.has_finished) {
      const std::uint64_t before = side.written;
      write(side, 1);
      require(side.written == before);
    }
  }

  void wind_up() {
    proxy_.set_toxics({}, {});
    for (Side& side : sides_) finish(side);
    for (int quiet = 0; quiet < 3;) {
      const std::uint64_t before = sides_[0].read + sides_[1].read;
      for (Side& side : sides_) {
        if (!side.saw_end) read(side, 256);
        if (!side.has_finished) finish(side);
      }
      world_.advance_to(after(world_.now(), std::chrono::hours(1)));
      quiet = sides_[0].read + sides_[1].read == before ? quiet + 1 : 0;
    }
    for (Side& side : sides_) {
      require(side.saw_end || side.saw_error);
      if (!is_broken_) require(side.saw_end);
    }
  }

  Numbers numbers_;
  inmem::World world_;
  net::ToxicProxy proxy_{world_.loop(), world_.decisions(), net::ChannelOptions().with_capacity(64)};
  std::array<Side, 2> sides_;
  bool is_broken_ = false;  // an end may come anywhere
};

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using pipette::fuzz::Numbers;
  pipette::fuzz::Run(Numbers({reinterpret_cast<const char*>(data), size})).play();  // NOLINT: libFuzzer's signature
  return 0;
}
