// Package browser opens the console of a local region in a real browser (Debian's chromium, headless, driven by chromedp): a person
// installs three hosts, sends them a command and updates them, by real programs; and measures the region's memory with a fleet of
// simulated hosts and an open page.
//
// The browser's test carries the build tag boot, the measurement integration. Screenshots go to the folder SSM_SETUP_SCREENSHOTS; CI
// keeps that.
package browser
