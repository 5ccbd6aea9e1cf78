// The capture, read back octet by octet. What Wireshark makes of it: tests/lab/check_pcap.
#include "pipette/lab/pcap.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/lab/example_log.h"

namespace pipette::lab {
namespace {

using inmem::EventKind;
using inmem::EventLog;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using namespace std::chrono_literals;
using namespace std::string_literals;

// ---- a reader of captures ----------------------------------------------------------------------------------

std::uint64_t big(Bytes octets) {
  std::uint64_t value = 0;
  for (const char c : octets) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}
std::uint64_t little(Bytes octets) {
  const std::string reversed(octets.rbegin(), octets.rend());
  return big(reversed);
}

struct Packet {
  std::uint64_t time = 0;  // since 1970, in nanoseconds
  std::string from;
  std::string to;
  std::string flags;  // of F S R P A
  std::uint64_t sequence = 0;
  std::uint64_t acknowledgement = 0;
  std::string payload;
  std::vector<std::string> comments;
};

struct File {
  std::vector<std::string> comments;
  std::vector<std::string> names;
  std::vector<Packet> packets;
};

std::vector<std::pair<std::uint64_t, std::string>> read_options(Bytes octets) {
  std::vector<std::pair<std::uint64_t, std::string>> options;
  while (octets.size() >= 4) {
    const std::uint64_t code = little(octets.substr(0, 2));
    const std::uint64_t size = little(octets.substr(2, 2));
    if (code == 0) break;
    EXPECT_LE(4 + size, octets.size());
    options.emplace_back(code, octets.substr(4, size));
    octets.remove_prefix(std::min<std::size_t>(4 + (size + 3) / 4 * 4, octets.size()));
  }
  return options;
}

std::vector<std::string> read_comments(Bytes options) {
  std::vector<std::string> comments;
  for (const auto& [code, value] : read_options(options)) {
    if (code == 1) comments.push_back(value);
  }
  return comments;
}

// RFC 1071: what is right sums up to all ones.
bool has_right_checksum(const std::string& octets) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); ++i) sum += big(octets.substr(i, 1)) << (i % 2 == 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum == 0xffff;
}

std::string read_ip(Bytes octets) {
  std::string text;
  for (const char c : octets) text += (text.empty() ? "" : ".") + std::to_string(static_cast<std::uint8_t>(c));
  return text;
}

Packet read_packet(Bytes ip) {
  Packet packet;
  EXPECT_EQ(big(ip.substr(0, 1)), 0x45U);
  EXPECT_EQ(big(ip.substr(2, 2)), ip.size());
  EXPECT_TRUE(has_right_checksum(std::string(ip.substr(0, 20))));
  const Bytes tcp = ip.substr(20);
  const std::string size{static_cast<char>(tcp.size() >> 8), static_cast<char>(tcp.size() & 0xff)};
  EXPECT_TRUE(has_right_checksum(std::string(ip.substr(12, 8)) + "\0\x06"s + size + std::string(tcp)));
  packet.from = read_ip(ip.substr(12, 4)) + ":" + std::to_string(big(tcp.substr(0, 2)));
  packet.to = read_ip(ip.substr(16, 4)) + ":" + std::to_string(big(tcp.substr(2, 2)));
  packet.sequence = big(tcp.substr(4, 4));
  packet.acknowledgement = big(tcp.substr(8, 4));
  const std::uint64_t flags = big(tcp.substr(13, 1));
  for (std::size_t bit = 0; bit < 5; ++bit) {
    if ((flags >> bit & 1) != 0) packet.flags += "FSRPA"[bit];
  }
  packet.payload = tcp.substr(big(tcp.substr(12, 1)) >> 4 << 2);
  return packet;
}

File read(const std::string& octets) {
  File file;
  Bytes left = octets;
  while (!left.empty()) {
    const std::uint64_t size = little(left.substr(4, 4));
    EXPECT_EQ(size % 4, 0U);
    EXPECT_EQ(little(left.substr(size - 4, 4)), size);
    const Bytes body = left.substr(8, size - 12);
    switch (little(left.substr(0, 4))) {
      case 0x0a0d0d0a:
        file.comments = read_comments(body.substr(16));
        break;
      case 1:
        EXPECT_EQ(little(body.substr(0, 2)), 101U);
        EXPECT_THAT(read_options(body.substr(8)), testing::Contains(std::pair<std::uint64_t, std::string>(9, "\x09")));
        break;
      case 4:
        for (const auto& [code, value] : read_options(body)) {
          file.names.push_back(read_ip(value.substr(0, 4)) + " " + value.substr(4, value.size() - 5));
        }
        break;
      case 6: {
        const std::uint64_t packet_size = little(body.substr(12, 4));
        Packet packet = read_packet(body.substr(20, packet_size));
        packet.time = little(body.substr(4, 4)) << 32 | little(body.substr(8, 4));
        packet.comments = read_comments(body.substr(20 + (packet_size + 3) / 4 * 4));
        file.packets.push_back(std::move(packet));
        break;
      }
      default:
        ADD_FAILURE() << "a block that nobody knows";
    }
    left.remove_prefix(size);
  }
  return file;
}

std::string capture(const EventLog& log, WallTime start = inmem::kWorldStart) {
  std::ostringstream out;
  write_pcapng(log, out, start);
  return out.str();
}

// ---- short words for packets -------------------------------------------------------------------------------

// "> SA", with the octets it carries: "< PA 5".
std::vector<std::string> shapes(const File& file) {
  std::vector<std::string> lines;
  for (const Packet& packet : file.packets) {
    const bool is_forward = packet.from.starts_with("10.0.0.1:");
    std::string line = (is_forward ? "> " : "< ") + packet.flags;
    if (!packet.payload.empty()) line += " " + std::to_string(packet.payload.size());
    lines.push_back(line);
  }
  return lines;
}

constexpr std::uint64_t kStartNanoseconds = static_cast<std::uint64_t>(inmem::kWorldStart.time_since_epoch().count());

std::uint64_t since_start(const Packet& packet) { return packet.time - kStartNanoseconds; }

class Pcap : public testing::Test {
 protected:
  File written() { return read(capture(writer_.log())); }
  NetworkLogWriter writer_;
};

// ---- connections -------------------------------------------------------------------------------------------

TEST_F(Pcap, ShakesHandsAndCarriesOctets) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.send(c, 0, "ping").send(c, 1, "hello");
  const File file = written();
  EXPECT_THAT(shapes(file), ElementsAre("> S", "< SA", "> A", "> PA 4", "< A", "< PA 5", "> A"));
  EXPECT_EQ(file.packets[3].payload, "ping");
  EXPECT_EQ(file.packets[3].from, "10.0.0.1:49152");
  EXPECT_EQ(file.packets[3].to, "10.0.0.2:80");
  EXPECT_THAT(file.names, ElementsAre("10.0.0.1 client", "10.0.0.2 app"));
}

TEST_F(Pcap, CountsEverySequenceNumber) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.send(c, 0, "ping").say(EventKind::finished, "", c, 0).say(EventKind::finished, "", c, 1);
  const std::vector<Packet> packets = written().packets;
  const std::uint64_t start = packets[0].sequence;
  EXPECT_EQ(packets[1].acknowledgement, start + 1);
  EXPECT_EQ(packets[3].sequence, start + 1);
  EXPECT_EQ(packets[4].acknowledgement, start + 5);
  EXPECT_EQ(packets[5].flags, "FA");
  EXPECT_EQ(packets[5].sequence, start + 5);
  EXPECT_EQ(packets[6].acknowledgement, start + 6);
}

TEST_F(Pcap, CutsIntoSegmentsAndPushesTheLast) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.send(c, 0, std::string(1460 * 2 + 1, 'x'));
  EXPECT_THAT(shapes(written()), ElementsAre("> S", "< SA", "> A", "> A 1460", "> A 1460", "> PA 1", "< A"));
}

TEST_F(Pcap, AcknowledgesWhenOctetsArrive) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.slow(c, 0).send(c, 0, "0123456789").in(20ms).arrive(c, 0, 4).in(5ms).arrive(c, 0, 6);
  writer_.say(EventKind::finished, "", c, 0).in(20ms).arrive(c, 0, 0);
  const File file = written();
  EXPECT_THAT(shapes(file), ElementsAre("> S", "< SA", "> A", "> PA 10", "< A", "< A", "> FA", "< A"));
  const std::uint64_t first = file.packets[3].sequence;
  EXPECT_EQ(file.packets[4].acknowledgement, first + 4);
  EXPECT_EQ(since_start(file.packets[4]), 20'000'000U);
  EXPECT_EQ(file.packets[5].acknowledgement, first + 10);
  EXPECT_EQ(file.packets[7].acknowledgement, first + 11);
}

TEST_F(Pcap, AcknowledgesNothingThatDidNotArrive) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.slow(c, 0).send(c, 0, "ab").in(1ms).arrive(c, 0, 2).send(c, 0, "lost").in(1s).say(EventKind::reset, "", c, 1);
  const File file = written();
  EXPECT_THAT(shapes(file), ElementsAre("> S", "< SA", "> A", "> PA 2", "< A", "> PA 4", "< RA"));
  EXPECT_EQ(file.packets.back().acknowledgement, file.packets[5].sequence);
}

TEST_F(Pcap, ClosesWhatWasNotFinished) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.say(EventKind::closed, "", c, 1).say(EventKind::finished, "", c, 0).say(EventKind::closed, "", c, 0);
  EXPECT_THAT(shapes(written()), ElementsAre("> S", "< SA", "> A", "< FA", "> A", "> FA", "< A"));
}

TEST_F(Pcap, ResetsOnce) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.say(EventKind::reset, "client aborts", c, 0).say(EventKind::reset, "", c, 1).say(EventKind::closed, "", c, 1);
  const File file = written();
  EXPECT_THAT(shapes(file), ElementsAre("> S", "< SA", "> A", "> RA"));
  EXPECT_THAT(file.packets[3].comments, ElementsAre("+0.000000000 reset: client aborts"));
}

TEST_F(Pcap, BeginsInTheMiddleWhereTheLogDoes) {
  NetworkLogWriter writer(1000);
  const auto c = writer.dial("client", "app", 80);
  for (int i = 0; i < 20; ++i) writer.in(1ms).send(c, 0, std::string(50, 'x'));
  ASSERT_GT(writer.log().dropped(), 0U);
  const File file = read(capture(writer.log()));
  EXPECT_EQ(shapes(file).front(), "> PA 50");
  EXPECT_THAT(file.comments.at(1), HasSubstr("earlier events were dropped"));
}

// ---- dials that fail ---------------------------------------------------------------------------------------

struct RefusedRow {
  std::string text;
  std::vector<std::string> packets;
};

TEST_F(Pcap, ShowsDialsThatFail) {
  const std::array rows = {
      RefusedRow{"client 10.0.0.1:7 -> app:80 10.0.0.2:80: nobody listens at that address",
                 {"10.0.0.1:7 10.0.0.2:80 S", "10.0.0.2:80 10.0.0.1:7 RA"}},
      RefusedRow{"client 10.0.0.1:7 -> app:80 10.0.0.2:80: deadline expired", {"10.0.0.1:7 10.0.0.2:80 S"}},
      RefusedRow{"client -> app:81: nobody listens at that address",
                 {"198.18.0.1:49152 198.18.0.2:81 S", "198.18.0.2:81 198.18.0.1:49152 RA"}},
      RefusedRow{"client -> nowhere:80: no address for that name", {}},
      RefusedRow{"who knows", {}},
  };
  for (const RefusedRow& row : rows) {
    SCOPED_TRACE(row.text);
    NetworkLogWriter writer;
    writer.say(EventKind::refused, row.text);
    const File file = read(capture(writer.log()));
    std::vector<std::string> packets;
    for (const Packet& packet : file.packets) packets.push_back(packet.from + " " + packet.to + " " + packet.flags);
    EXPECT_EQ(packets, row.packets);
    const std::vector<std::string>& comments = file.packets.empty() ? file.comments : file.packets.back().comments;
    ASSERT_FALSE(comments.empty());
    EXPECT_EQ(comments.back(), "+0.000000000 refused: " + row.text);
  }
}

TEST_F(Pcap, ShowsThatADialedConnectionWasRefused) {
  NetworkLogWriter writer;
  const auto c = writer.dial("client", "app", 80);
  writer.say(EventKind::refused, "client -> app:80", c, 1);
  EXPECT_EQ(shapes(read(capture(writer.log()))).back(), "< RA");
}

// ---- comments ------------------------------------------------------------------------------------------------

TEST_F(Pcap, CommentsOnTheNearestPacketOfTheConnection) {
  const auto c = writer_.dial("client", "app", 80);
  const auto d = writer_.dial("other", "app", 80);
  writer_.in(10s).say(EventKind::timed_out, "read", c, 1).send(d, 0, "x").in(1s).send(c, 1, "408");
  const File file = written();
  const auto at = std::ranges::find(file.packets, "408", &Packet::payload);
  ASSERT_NE(at, file.packets.end());
  EXPECT_THAT(at->comments, ElementsAre("+10.000000000 app: read timed out"));
}

TEST_F(Pcap, CommentsOnAnyPacketOnWhatHasNoConnection) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.in(3s).say(EventKind::link, "client -> app: black hole").in(1s).send(c, 0, "x");
  EXPECT_THAT(written().packets[3].comments, ElementsAre("+3.000000000 link: client -> app: black hole"));
}

TEST_F(Pcap, CommentsOnTheFileWhereThereIsNoPacket) {
  writer_.say(EventKind::note, "nothing \xff\n happened");
  const File file = written();
  EXPECT_THAT(file.packets, IsEmpty());
  EXPECT_THAT(file.comments, ElementsAre(StartsWith("log "), "+0.000000000 note: nothing .. happened"));
}

TEST_F(Pcap, BoundsItsComments) {
  writer_.dial("client", "app", 80);
  for (int i = 0; i < 150; ++i) writer_.say(EventKind::note, std::string(5000, 'x'));
  const std::vector<std::string> comments = written().packets[2].comments;
  EXPECT_EQ(comments.size(), 101U);
  EXPECT_LT(comments[0].size(), 1100U);
  EXPECT_EQ(comments.back(), "50 more are left out");
}

// ---- time and addresses ------------------------------------------------------------------------------------

TEST_F(Pcap, StampsWithCivilTime) {
  writer_.at(1500ms + 1ns).dial("client", "app", 80);
  EXPECT_EQ(since_start(written().packets[0]), 1'500'000'001U);
  EXPECT_EQ(read(capture(writer_.log(), WallTime(7s))).packets[0].time, 8'500'000'001U);
  EXPECT_EQ(read(capture(writer_.log(), WallTime(-7s))).packets[0].time, 0U);
}

TEST_F(Pcap, MakesUpAddressesForThoseWhoHaveNone) {
  writer_.dial_at("client", "app", "unix:/run/app", "unix:/run/app", "");
  writer_.dial_at("client", "", "[::1]:9", "[::1]:8080", "");
  const File file = written();
  EXPECT_EQ(file.packets[0].from, "198.18.0.1:49152");
  EXPECT_EQ(file.packets[0].to, "198.18.0.2:80");
  EXPECT_EQ(file.packets[3].from, "198.18.0.1:9");
  EXPECT_EQ(file.packets[3].to, "198.18.0.3:8080");
}

TEST_F(Pcap, IsTheSameForTheSameLog) {
  EXPECT_EQ(capture(example_log()), capture(example_log()));
  EXPECT_EQ(capture(busy_log(30)), capture(busy_log(30)));
}

TEST_F(Pcap, OfNothingIsStillACapture) {
  const File file = read(capture(EventLog()));
  EXPECT_THAT(file.packets, IsEmpty());
  EXPECT_EQ(file.comments.size(), 1U);
}

// Events that no world would note make no crash, and no packet that cannot be read.
EventLog senseless_log() {
  NetworkLogWriter writer;
  const auto c = writer.dial_at("<\xff>", std::string(400, 'h'), "", "\0x"s, "\xff");
  for (int i = 0; i < 15; ++i) {
    const auto kind = static_cast<EventKind>(i);
    for (const std::uint32_t connection : {0U, c, 7U}) {
      for (const std::uint8_t side : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{2}}) {
        if (kind == EventKind::sent) {
          writer.send(connection, side, "sent");
        } else {
          writer.arrive(connection, side, UINT32_MAX).say(kind, "\x01<script> -> ", connection, side);
        }
      }
    }
  }
  return writer.log();
}

TEST_F(Pcap, MakesDoWithEventsThatMakeNoSense) { EXPECT_GT(read(capture(senseless_log())).packets.size(), 5U); }

// For check_pcap, which shows them to tshark.
TEST_F(Pcap, WritesExamplesWhereTheEnvironmentSays) {
  NetworkLogWriter middle(3000);
  const auto c = middle.dial("client", "app", 9876);
  for (int i = 0; i < 30; ++i) {
    middle.in(1ms).send(c, 0, "GET / HTTP/1.1\r\nHost: app\r\n\r\n");
    middle.send(c, 1, "HTTP/1.1 204 No Content\r\n\r\n");
  }
  NetworkLogWriter local;
  const auto d = local.dial_at("client", "app", "unix:/run/app", "unix:/run/app", "");
  local.send(d, 0, "GET / HTTP/1.1\r\nHost: app\r\n\r\n").send(d, 1, "HTTP/1.1 204 No Content\r\n\r\n");
  const std::vector<std::pair<std::string, EventLog>> logs = {
      {"example", example_log()}, {"busy", busy_log(100)}, {"middle", middle.log()},
      {"local", local.log()},     {"nothing", EventLog()},
  };
  const char* const folder = std::getenv("PIPETTE_PCAP_FOLDER");
  for (const auto& [name, log] : logs) {
    const std::string octets = capture(log);
    EXPECT_EQ(octets.size() % 4, 0U);
    if (folder == nullptr) continue;
    std::ofstream file(std::string(folder) + "/" + name + ".pcapng", std::ios::binary);
    file << octets;
    EXPECT_TRUE(file.good());
  }
}

}  // namespace
}  // namespace pipette::lab
