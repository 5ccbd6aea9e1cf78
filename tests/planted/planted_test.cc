// What is found in a stack with one bug in it. Each planted_NAME runs the one row that is about its bug.
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string_view>

#include "tests/planted/scenarios.h"

namespace pipette::planted {
namespace {

using testing::HasSubstr;

constexpr std::size_t kMostChoices = 3;

struct Bug {
  std::string_view name;
  std::uint64_t most_worlds;
  // Of the report: what it takes, what the test said, how to see it again.
  std::string_view needs;
  std::string_view said;
  std::string_view reproduce;
};

constexpr std::array kBugs = {
    // Found by the fault sweep.
    Bug{"drops_a_handler_whose_peer_is_gone", 100, "needs 1 choice:\n  conn 1, accepting side: the 1st write: reset\n",
        "  threw: a handler has begun and not ended\n", "PIPETTE_REPLAY='fault.write/3/0=1'\n"},
    Bug{"repeats_a_post", 183, "needs 1 choice:\n  conn 1, dialing side: the 4th read: end of stream\n",
        "  threw: one order was placed, and 2 came\n", "PIPETTE_REPLAY='fault.read/2/3=1'\n"},
    Bug{"stops_accepting_after_emfile", 97, "needs 1 choice:\n  the 1st accept: EMFILE\n",
        "  threw: no answer, though nothing is wrong any more\n", "PIPETTE_REPLAY='fault.accept/0/0=1'\n"},
    Bug{"takes_half_a_body_for_whole", 121, "needs 1 choice:\n  conn 1, dialing side: the 3rd read: end of stream\n",
        "  threw: 3959 octets of 10000, and no error\n", "PIPETTE_REPLAY='fault.read/2/2=1'\n"},

    // By the explorer.
    Bug{"counts_connections_late", 20, "needs 3 choices:\n  what is ready runs in any order\n  pick ",
        "  threw: 2 connections, and 1 is allowed\n", "PIPETTE_REPLAY='explore.order/0/0=1,ready/0/"},
    Bug{"misses_the_drain", 20, "needs 3 choices:\n  what is ready runs in any order\n  pick ",
        "  threw: the shutdown had to cut an idle connection\n", "PIPETTE_REPLAY='explore.order/0/0=1,ready/0/"},
    Bug{"takes_a_short_write_for_whole", 20,
        "needs 2 choices:\n  with short writes\n  conn 1, accepting side: write 2 is short\n",
        "  threw: GET http://app/: deadline expired\n",
        "PIPETTE_REPLAY='explore.short writes/0/0=1,write size/3/1=1'\n"},

    // By splits.
    Bug{"drops_what_follows_a_body", 48, "needs 1 choice:\n  what the dialing side sends is cut behind octet 47\n",
        "  threw: the second request was not answered\n", "PIPETTE_REPLAY='cut.dialing side/47/0=1'\n"},
    Bug{"keeps_the_first_deadline", 29, "needs 1 choice:\n  what the dialing side sends is cut behind octet 28\n",
        "  threw: request 2 was refused\n", "PIPETTE_REPLAY='cut.dialing side/28/0=1'\n"},

    // By the fuzzer.
    Bug{"forgets_the_idle_deadline", 20, "pipette fuzz 1\nmessage get\n---",
        "every deadline has passed, and 1 connections are open:\n", "conn 1: idle after 1 exchange\n"},
    Bug{"lies_about_the_third_length", 20, "pipette fuzz 1\nmessage get\nmessage post\nmessage get\n---",
        "number 1: the end came within message 3, 200 OK\n", "200 OK (4 fields, 7 of 8 body bytes)\n"},
};

class Planted : public testing::TestWithParam<Bug> {};

TEST_P(Planted, IsFound) {
  const Bug& bug = GetParam();
  const Hunt found = hunt(bug.name);
  ASSERT_TRUE(found.has_found);
  EXPECT_LE(found.worlds, bug.most_worlds);
  EXPECT_LE(found.choices, kMostChoices);
  EXPECT_THAT(found.report, HasSubstr(bug.needs));
  EXPECT_THAT(found.report, HasSubstr(bug.said));
  EXPECT_THAT(found.report, HasSubstr(bug.reproduce));
}

INSTANTIATE_TEST_SUITE_P(Bugs, Planted, testing::ValuesIn(kBugs),
                         [](const auto& sample) { return std::string(sample.param.name); });

}  // namespace
}  // namespace pipette::planted
