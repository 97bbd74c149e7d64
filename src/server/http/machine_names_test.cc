#include "server/http/machine_names.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fstream>
#include <iterator>
#include <set>
#include <unistd.h>

#include <gtest/gtest.h>

#include "server/http/credentials.h"
#include "server/http/scratch_fixture.h"
#include "server/http/x509.h"

namespace windlass::server {
namespace {

const Instant kFirstStart = *parse_rfc3339("2026-03-01T00:00:00Z");

std::string file_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(MachineNames, AreOfThisMachineAndOfUseToOthers) {
  const std::vector<std::string> names = names_of_machine();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  std::array<char, 256> name{};
  ASSERT_EQ(::gethostname(name.data(), name.size() - 1), 0);
  EXPECT_EQ(std::count(names.begin(), names.end(), std::string(name.data())), 1);
  for (const std::string& each : names) {
    EXPECT_FALSE(each.empty() || each.starts_with("127.") || each == "::1" ||
                 each.starts_with("fe80") || each.starts_with("169.254."))
        << each;
  }
}

TEST(MachineNames, AListenerOnOneAddressIsCalledByThatAlone) {
  EXPECT_EQ(names_of_listener("10.0.0.7"), std::vector<std::string>{"10.0.0.7"});
  EXPECT_EQ(names_of_listener("a.example"), std::vector<std::string>{"a.example"});
  for (const char* any : {"0.0.0.0", "::"}) EXPECT_EQ(names_of_listener(any), names_of_machine());
}

TEST(MachineNames, TheCertificateOfAFormerStartIsRenewedByTheSameAuthority) {
  const Scratch scratch;
  const std::string directory = scratch.path + "/pki";
  const auto names_in_certificate = [&](const std::vector<std::string>& hosts) {
    const Result<Credentials> made = Credentials::open(directory, hosts, kFirstStart);
    EXPECT_TRUE(made.ok());
    return made->tls();
  };
  const TlsFiles before = names_in_certificate({"10.1.2.3"});
  const auto certificate = [](const std::string& path) {
    return *certificate_from_pem(file_text(path));
  };
  const std::string authority = file_text(directory + "/ca.crt");
  EXPECT_FALSE(covers(certificate(before.certificate), "10.1.2.4"));
  std::vector<std::string> hosts = names_of_listener("0.0.0.0");
  hosts.emplace_back("10.1.2.4");  // another address than then
  names_in_certificate(hosts);
  const CertificatePtr after = certificate(before.certificate);
  for (const std::string& host : hosts) EXPECT_TRUE(covers(after, host)) << host;
  for (const char* host : {"localhost", "127.0.0.1", "::1"}) EXPECT_TRUE(covers(after, host));
  EXPECT_EQ(file_text(directory + "/ca.crt"), authority);
  EXPECT_TRUE(is_signed_by(after, certificate(directory + "/ca.crt")));
  // And stays while it names all that is asked for.
  const std::string renewed = file_text(before.certificate);
  names_in_certificate(hosts);
  EXPECT_EQ(file_text(before.certificate), renewed);
}

}  // namespace
}  // namespace windlass::server
