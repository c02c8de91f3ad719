import TestSupport
import Testing

@testable import CalicoModel

@Suite("Points in time")
struct TimestampTests {
  @Test("a time is written in RFC 3339, UTC, whole seconds")
  func description() {
    #expect(example.description == "2026-08-22T13:33:00Z")
    #expect(Timestamp(seconds: 0).description == "1970-01-01T00:00:00Z")
    #expect(Timestamp(nanoseconds: -1).description == "1969-12-31T23:59:59Z")
    #expect(Timestamp(seconds: 951_782_399).description == "2000-02-28T23:59:59Z")
    #expect(Timestamp(seconds: 951_782_400).description == "2000-02-29T00:00:00Z")
    #expect(Timestamp(nanoseconds: .max).description == "2262-04-11T23:47:16Z")
    #expect(Timestamp(nanoseconds: .min).description == "1677-09-21T00:12:43Z")
  }

  @Test(
    "the attribute's form has the fraction without trailing zeros",
    arguments: [
      (512_345_678, "2026-08-22 13:33:00.512345678 +0000 UTC"), (1, "2026-08-22 13:33:00.000000001 +0000 UTC"),
      (250_000_000, "2026-08-22 13:33:00.25 +0000 UTC"), (0, "2026-08-22 13:33:00 +0000 UTC"),
      (100_000_000, "2026-08-22 13:33:00.1 +0000 UTC"), (10, "2026-08-22 13:33:00.00000001 +0000 UTC"),
    ])
  func attributeText(fraction: Int64, expected: String) {
    let time = Timestamp(nanoseconds: example.truncated.nanoseconds + fraction)
    #expect(time.attributeText == expected)
  }

  @Test("a fraction before 1970 counts from the second below")
  func attributeTextBeforeEpoch() {
    #expect(Timestamp(nanoseconds: -1).attributeText == "1969-12-31 23:59:59.999999999 +0000 UTC")
    #expect(Timestamp(nanoseconds: -1_000_000_000).attributeText == "1969-12-31 23:59:59 +0000 UTC")
  }

  @Test(
    "offsets and fractions are read",
    arguments: [
      ("2026-08-22T13:33:00Z", 0), ("2026-08-22T15:33:00+02:00", 0), ("2026-08-22T08:03:00-05:30", 0),
      ("2026-08-22T13:33:00.25Z", 250_000_000), ("2026-08-22T13:33:00.123456789123Z", 123_456_789),
      ("2026-08-22T13:33:00.000000001+00:00", 1), ("2026-08-22t13:33:00z", 0), ("2026-08-22 13:33:00Z", 0),
      ("2026-08-23T00:33:00.5+11:00", 500_000_000), ("2026-08-22T13:32:60Z", 0),
    ])
  func parsing(text: String, fraction: Int64) throws {
    let time = try #require(Timestamp(text))
    #expect(time.nanoseconds == example.truncated.nanoseconds + fraction)
    #expect(time.truncated == example.truncated)
  }

  @Test(
    "what is no time of RFC 3339 is none",
    arguments: [
      "", "2026", "2026-08-22", "2026-08-22T13:33Z", "2026-08-22T13:33:00", "2026-13-01T00:00:00Z",
      "2026-00-01T00:00:00Z", "2026-08-32T00:00:00Z", "2026-08-00T00:00:00Z", "2026-02-29T00:00:00Z",
      "2026-04-31T00:00:00Z", "2100-02-29T00:00:00Z", "2026-12-32T00:00:00Z", "2026-08-22T24:00:00Z",
      "2026-08-22T13:60:00Z", "2026-08-22T13:33:61Z", "2026-08-22T13:33:00.Z", "2026-08-22T13:33:00+24:00",
      "2026-08-22T13:33:00+02", "2026-08-22T13:33:00+0200", "2026-08-22T13:33:00+02:60", "2026-08-22T13:33:00Zx",
      " 2026-08-22T13:33:00Z", "02026-08-22T13:33:00Z", "2026-8-22T13:33:00Z", "-026-08-22T13:33:00Z",
      "2026-08-22T13:33:00,5Z", "٢٠٢٦-08-22T13:33:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
      "1677-09-21T00:12:43Z", "2262-04-11T23:47:17Z",
    ])
  func invalid(text: String) {
    #expect(Timestamp(text) == nil)
  }

  @Test("leap days are days of leap years")
  func leapDays() {
    #expect(Timestamp("2000-02-29T00:00:00Z") != nil)
    #expect(Timestamp("2024-02-29T00:00:00Z") != nil)
    #expect(Timestamp("2262-04-11T23:47:16.854775807Z")?.nanoseconds == .max)
  }

  @Test("arithmetic ends at the last time that there is")
  func saturation() {
    #expect(example.advanced(bySeconds: 30) == Timestamp(nanoseconds: example.nanoseconds + 30_000_000_000))
    #expect(example.advanced(bySeconds: -30) == Timestamp(nanoseconds: example.nanoseconds - 30_000_000_000))
    #expect(example.advanced(bySeconds: .max) == Timestamp(nanoseconds: .max))
    #expect(example.advanced(bySeconds: .min) == Timestamp(nanoseconds: .min))
    #expect(
      Timestamp(nanoseconds: -5).advanced(bySeconds: -9_223_372_036)
        == Timestamp(nanoseconds: -9_223_372_036_000_000_005))
    #expect(Timestamp(seconds: .max) == Timestamp(nanoseconds: .max))
    #expect(Timestamp(seconds: .min) == Timestamp(nanoseconds: .min))
    #expect(Timestamp(seconds: -1) < Timestamp(seconds: 0))
    #expect(Timestamp(nanoseconds: -1).seconds == -1)
  }

  @Test("random times survive being written and read", arguments: [nil, 1] as [UInt64?])
  func roundTrips(fixedSeed: UInt64?) throws {
    let seed = fixedSeed ?? UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<5_000 {
      let time = Timestamp(nanoseconds: Int64.random(in: -9_223_372_036_000_000_000 ... .max, using: &generator))
      #expect(Timestamp(time.description) == time.truncated, "seed \(seed): \(time.nanoseconds)")
      // The attribute's form is RFC 3339 but for the separators.
      let text = time.attributeText.replacing(" +0000 UTC", with: "Z")
      #expect(Timestamp(text) == time, "seed \(seed): \(time.nanoseconds)")
    }
  }
}

@Suite("Dates")
struct CivilDateTests {
  @Test("every day of the years 1 to 9999 follows the day before it, and counts as itself")
  func everyDay() {
    let lengths: [Int64] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    // 719,162 days lie between 0001-01-01 and 1970-01-01.
    var days: Int64 = -719_162
    for year in Int64(1)...9999 {
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      for month in Int64(1)...12 {
        for day in 1...(month == 2 && isLeap ? 29 : lengths[Int(month - 1)]) {
          let date = CivilDate(daysSinceEpoch: days)
          if date.year != year || date.month != month || date.day != day
            || CivilDate(year: year, month: month, day: day).daysSinceEpoch != days
          {
            Issue.record("day \(days) is \(year)-\(month)-\(day), not \(date)")
            return
          }
          days += 1
        }
      }
    }
    #expect(days == 2_932_897)
  }
}
