#include "server/http/credentials.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "base/json.h"
#include "server/http/scratch_fixture.h"
#include "server/http/service_token.h"
#include "server/http/x509.h"

namespace windlass::server {
namespace {

const Instant kNow = *parse_rfc3339("2026-03-01T00:00:00Z");

std::string read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
unsigned mode_of(const std::string& path) {
  struct stat found {};
  EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
  return found.st_mode & 0777U;
}
CertificatePtr certificate(const std::string& path) {
  Result<CertificatePtr> found = certificate_from_pem(read(path));
  EXPECT_TRUE(found.ok());
  return *found;
}

struct Opened {
  Scratch scratch;
  std::string directory = scratch.path + "/deep/keys";
  Result<Credentials> open(const std::vector<std::string>& hosts = {}, Instant now = kNow) {
    return Credentials::open(directory, hosts, now);
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    return read(directory + "/" + name);
  }
};

TEST(Credentials, MakesFilesThatNobodyElseReads) {
  Opened o;
  ASSERT_TRUE(o.open().ok());
  EXPECT_EQ(mode_of(o.directory), 0700u);
  for (const char* name : {"ca.crt", "ca.key", "server.crt", "server.key", "admin.crt", "admin.key",
                           "token", "signing.key"}) {
    EXPECT_EQ(mode_of(o.directory + "/" + name), 0600u) << name;
  }
  ::chmod(o.directory.c_str(), 0755);
  ::chmod((o.directory + "/ca.key").c_str(), 0644);
  ASSERT_TRUE(o.open().ok());
  EXPECT_EQ(mode_of(o.directory), 0700u);
  EXPECT_EQ(mode_of(o.directory + "/ca.key"), 0600u);
}

TEST(Credentials, CertificatesAreWhatTheyShouldBe) {
  Opened o;
  ASSERT_TRUE(o.open({"10.1.2.3", "build.example", "fd00::1"}).ok());
  const CertificatePtr ca = certificate(o.directory + "/ca.crt");
  const CertificatePtr server = certificate(o.directory + "/server.crt");
  const CertificatePtr admin = certificate(o.directory + "/admin.crt");
  EXPECT_TRUE(is_signed_by(ca, ca));
  EXPECT_TRUE(is_signed_by(server, ca));
  EXPECT_TRUE(is_signed_by(admin, ca));
  EXPECT_FALSE(is_signed_by(admin, server));
  EXPECT_EQ(not_after(ca), kNow + hours(24 * 3650));
  EXPECT_GT(not_after(server), kNow + hours(24 * 300));
  for (const char* host : {"10.1.2.3", "build.example", "fd00::1", "localhost", "127.0.0.1", "::1",
                           "kubernetes.default.svc"}) {
    EXPECT_TRUE(covers(server, host)) << host;
  }
  EXPECT_FALSE(covers(server, "example.com"));
  EXPECT_FALSE(covers(server, "10.1.2.4"));
  const Identity identity = subject_of(*admin);
  EXPECT_EQ(identity.user, "windlass-admin");
  EXPECT_EQ(identity.groups, std::vector<std::string>{"system:masters"});
}

TEST(Credentials, WhatIsGoodStaysAndWhatIsNotIsMadeAgain) {
  Opened o;
  ASSERT_TRUE(o.open().ok());
  const auto all = [&o] {
    return std::vector<std::string>{o.text("ca.crt"), o.text("server.crt"), o.text("admin.crt"),
                                    o.text("token"), o.text("signing.key")};
  };
  const auto first = all();
  ASSERT_TRUE(o.open({}, kNow + hours(24)).ok());
  EXPECT_EQ(all(), first);

  ASSERT_TRUE(o.open({"new.example"}).ok());  // a new host: only the server's certificate
  auto second = all();
  EXPECT_NE(second[1], first[1]);
  EXPECT_TRUE(covers(certificate(o.directory + "/server.crt"), "new.example"));
  second[1] = first[1];
  EXPECT_EQ(second, first);

  ASSERT_TRUE(o.open({}, kNow + hours(24 * 400)).ok());  // leaves have expired
  const auto third = all();
  EXPECT_EQ(third[0], first[0]);
  EXPECT_NE(third[2], first[2]);
  EXPECT_GT(not_after(certificate(o.directory + "/admin.crt")), kNow + hours(24 * 700));

  std::filesystem::remove(o.directory + "/ca.key");  // a new authority: everything it signs
  ASSERT_TRUE(o.open().ok());
  EXPECT_NE(all()[0], first[0]);
  EXPECT_TRUE(
      is_signed_by(certificate(o.directory + "/server.crt"), certificate(o.directory + "/ca.crt")));
  EXPECT_EQ(all()[3], first[3]);
}

TEST(Credentials, DamagedFilesAreNamedAndNotReplaced) {
  for (const char* name : {"ca.crt", "server.key", "admin.crt", "token", "signing.key"}) {
    Opened o;
    ASSERT_TRUE(o.open().ok());
    write(o.directory + "/" + name, "SECRET damage");
    const Result<Credentials> again = o.open();
    ASSERT_FALSE(again.ok()) << name;
    EXPECT_NE(again.error().message().find(name), std::string::npos);
    EXPECT_EQ(again.error().message().find("SECRET"), std::string::npos);
    EXPECT_EQ(o.text(name), "SECRET damage");
  }
  Opened o;
  write(o.scratch.path + "/deep", "a file where a directory should be");
  EXPECT_FALSE(o.open().ok());
}

TEST(Credentials, TellsWhoAsks) {
  Opened o;
  const Result<Credentials> made = o.open();
  ASSERT_TRUE(made.ok());
  const auto user = [&](const std::string& header, std::optional<Identity> cert = {}) {
    return made->authenticate(header, cert, kNow).user;
  };
  const std::string& token = made->admin_token();
  EXPECT_EQ(token.size(), 64u);
  EXPECT_EQ(user("Bearer " + token), "windlass-admin");
  EXPECT_EQ(user("bearer  " + token), "windlass-admin");
  for (const std::string& wrong : std::vector<std::string>{
           "", token, "Basic " + token, "Bearer", "Bearer ", "Bearer " + token + "0",
           "Bearer " + token.substr(1), "Bearer " + std::string(64, '0')}) {
    EXPECT_EQ(user(wrong), "") << wrong;
  }
  EXPECT_EQ(user("", Identity{"someone", {"group"}, ""}), "someone");
  EXPECT_EQ(user("Bearer wrong", Identity{"someone", {}, ""}), "someone");
  EXPECT_EQ(user("Bearer " + token, Identity{}), "windlass-admin");
}

TEST(Credentials, ServiceAccountTokensExpireAndCantBeForged) {
  Opened o;
  const Result<Credentials> made = o.open();
  ASSERT_TRUE(made.ok());
  const std::string name = "system:serviceaccount:team-a:runner";
  const std::string token = made->issue_token(name, "uid-1", kNow + hours(1));
  const auto at = [&](const std::string& t, Instant now) {
    return made->authenticate("Bearer " + t, {}, now);
  };
  EXPECT_EQ(at(token, kNow).user, name);
  EXPECT_EQ(at(token, kNow).uid, "uid-1");
  EXPECT_EQ(at(token, kNow).groups,
            (std::vector<std::string>{"system:serviceaccounts", "system:serviceaccounts:team-a",
                                      "system:authenticated"}));
  EXPECT_EQ(at(token, kNow + hours(1)).user, "");
  for (size_t i = 0; i < token.size(); ++i) {
    std::string forged = token;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(at(forged, kNow).user, "") << i;
  }
  // {"alg":"none"} and no signature: the header's claim is not believed.
  const std::string body = token.substr(token.find('.'), token.rfind('.') - token.find('.'));
  EXPECT_EQ(at("eyJhbGciOiJub25lIn0" + body + ".", kNow).user, "");
  for (const char* bad : {".", "..", "...", "a.b", "a.b.c", "\xff.\xff.\xff"}) {
    EXPECT_EQ(at(bad, kNow).user, "");
  }
  EXPECT_EQ(at(sign_token("another key", {name, "uid-1"}, kNow + hours(1)), kNow).user, "");
}

TEST(Credentials, WritesAKubeconfigOnlyItsOwnerReads) {
  Opened o;
  const Result<Credentials> made = o.open();
  ASSERT_TRUE(made.ok());
  const std::string path = o.scratch.path + "/kubeconfig";
  write(path, "old");
  ::chmod(path.c_str(), 0644);
  ASSERT_TRUE(made->write_kubeconfig(path, "https://127.0.0.1:6443").ok());
  EXPECT_EQ(mode_of(path), 0600u);
  const std::string text = read(path);
  EXPECT_NE(text.find("server: \"https://127.0.0.1:6443\"\n"), std::string::npos);
  EXPECT_NE(text.find("current-context: windlass\n"), std::string::npos);
  EXPECT_NE(text.find("token: " + made->admin_token() + "\n"), std::string::npos);
  EXPECT_TRUE(parse_yaml(text).ok());
  EXPECT_FALSE(made->write_kubeconfig(o.scratch.path + "/none/kubeconfig", "x").ok());
}

TEST(Certificates, AHostsNameBringsNoSyntaxOfItsOwn) {
  const Result<KeyPtr> key = make_key();
  ASSERT_TRUE(key.ok());
  const Result<CertificatePtr> made = make_certificate({"x",
                                                        "",
                                                        {"a.example,DNS:evil.example", "b.example"},
                                                        CertificateRequest::Use::kServer,
                                                        kNow,
                                                        kNow + hours(1)},
                                                       *key, nullptr, nullptr);
  ASSERT_TRUE(made.ok());
  EXPECT_FALSE(covers(*made, "evil.example"));
  EXPECT_TRUE(covers(*made, "b.example"));
}

Request with_headers(std::vector<std::pair<std::string, std::string>> headers) {
  Request request;
  request.headers = std::move(headers);
  return request;
}

TEST(DashboardSessions, ATokenOpensOneSession) {
  DashboardSessions sessions(true);
  const std::string token = sessions.new_one_time_token();
  EXPECT_FALSE(sessions.redeem("wrong"));
  EXPECT_FALSE(sessions.redeem(""));
  const auto cookie = sessions.redeem(token);
  ASSERT_TRUE(cookie);
  EXPECT_FALSE(sessions.redeem(token));
  for (const char* attribute : {"; HttpOnly", "; SameSite=Strict", "; Secure", "; Path=/"}) {
    EXPECT_NE(cookie->find(attribute), std::string::npos) << attribute;
  }
  const std::string pair = cookie->substr(0, cookie->find(';'));
  EXPECT_TRUE(sessions.valid(with_headers({{"cookie", pair}})));
  EXPECT_TRUE(sessions.valid(with_headers({{"cookie", "a=b; " + pair + "; c=d"}})));
  EXPECT_FALSE(sessions.valid(with_headers({{"cookie", pair + "0"}})));
  EXPECT_FALSE(sessions.valid(with_headers({{"cookie", "x" + pair}})));
  EXPECT_FALSE(sessions.valid(with_headers({{"cookie", pair.substr(0, pair.find('=') + 1)}})));
  EXPECT_FALSE(sessions.valid(with_headers({{"authorization", pair}})));
  EXPECT_FALSE(DashboardSessions(true).valid(with_headers({{"cookie", pair}})));
  DashboardSessions plain(false);
  EXPECT_EQ(plain.redeem(plain.new_one_time_token())->find("Secure"), std::string::npos);
}

TEST(DashboardSessions, OldTokensAreForgotten) {
  DashboardSessions sessions(true);
  const std::string old = sessions.new_one_time_token();
  for (int i = 0; i < 16; ++i) sessions.new_one_time_token();
  EXPECT_FALSE(sessions.redeem(old));
}

TEST(DashboardSessions, TellsForeignOrigins) {
  const std::vector<std::pair<Request, bool>> cases = {
      {with_headers({{"host", "h:1"}}), false},
      {with_headers({{"host", "h:1"}, {"origin", "https://h:1"}}), true},
      {with_headers({{"host", "h:1"}, {"origin", "http://h:1"}}), true},
      {with_headers({{"host", "h:1"}, {"origin", "https://h:2"}}), false},
      {with_headers({{"host", "h:1"}, {"origin", "https://evil"}}), false},
      {with_headers({{"host", "h:1"}, {"origin", "null"}}), false},
      {with_headers({{"host", ""}, {"origin", "https://"}}), false},
      {with_headers({{"host", "h:1"}, {"sec-fetch-site", "same-origin"}}), true},
      {with_headers({{"host", "h:1"}, {"sec-fetch-site", "cross-site"}}), false},
      {with_headers({{"host", "h:1"}, {"sec-fetch-site", "same-site"}}), false},
      {with_headers({{"origin", "https://h"}, {"host", "h"}, {"sec-fetch-site", "cross-site"}}),
       false},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(DashboardSessions::same_origin(cases[i].first), cases[i].second) << i;
  }
}

}  // namespace
}  // namespace windlass::server
