# What R's `survey` package makes of its own example data (schools of California, `data(api)`), and `metafor` of some of
# its counties: figures.csv in the folder given, and each region's schools as households. Run by tests/real/r_survey.py.
suppressMessages({
  library(survey)
  library(metafor)
})
data(api)
folder <- commandArgs(TRUE)[1]
options(digits = 17, OutDec = ".", survey.lonely.psu = "fail")
figures <- list()

say <- function(design, statistic, measure, scope, cell, column, value) {
  row <- data.frame(design, statistic, measure, scope, cell, column, value = sprintf("%.17g", as.numeric(value)))
  figures[[length(figures) + 1]] <<- row
}

deliver <- function(design, data, region) {
  bands <- function(score) cut(score, c(0, 600, 750, 1000), c("low", "middle", "high"), right = FALSE)
  data$region <- region
  data$hh <- data$cds
  data$wide <- data$sch.wide
  data$avg_ed <- data$avg.ed
  data$before <- bands(data$api99)
  data$after <- bands(data$api00)
  for (code in unique(region)) {
    place <- file.path(folder, design, code)
    dir.create(place, recursive = TRUE)
    mine <- data[region == code, ]
    fixed <- c("hh", "wide", "awards", "enroll", "meals", "ell", "target", "avg_ed")
    waves <- rbind(
      cbind(mine[fixed], wave = "T0", score = mine$api99),
      cbind(mine[fixed], wave = "T1", score = mine$api00)
    )
    write.csv(waves, file.path(place, "household.csv"), row.names = FALSE, na = "", quote = FALSE)
  }
  data
}

national <- function(design, statistic, measure, cell, found) {
  say(design, statistic, measure, "national", cell, "estimate", if (is.numeric(found)) found else coef(found))
}

# R's variances have n/(n - 1), ours have not: `n` is what R divides by, less one.
regional <- function(design, statistic, measure, found, n = NULL) {
  scopes <- as.character(found[[1]])
  say(design, statistic, measure, scopes, "", "estimate", coef(found))
  if (!is.null(n)) say(design, statistic, measure, scopes, "", "sampling_sd", SE(found) * sqrt((n - 1) / n))
}

# ---- every kind that has figures for the country, with unequal weights and without
kinds <- function(name, design, n) {
  national(name, "wide", "share", "", svymean(~I(1 * (wide == "Yes")), design))
  national(name, "score", "mean", "", svymean(~api00, design))
  national(name, "education", "mean", "", svymean(~avg_ed, subset(design, !is.na(avg_ed))))
  national(name, "target", "mean", "", svymean(~target, subset(design, !is.na(target))))
  national(name, "score_of_learners", "mean", "", svymean(~api00, subset(design, ell >= 25)))
  national(name, "pupils", "sum", "", svytotal(~enroll, design))
  national(name, "spread", "standard_deviation", "", sqrt(svyvar(~api00, design)[1] * (nrow(design) - 1) / nrow(design)))
  national(name, "change", "mean_change", "", svymean(~I(api00 - api99), design))
  for (award in levels(design$variables$awards)) {
    cell <- paste0("awards=", award)
    here <- subset(design, awards == award)
    national(name, "schools", "count", cell, svytotal(~one, here))
    national(name, "wide_by_awards", "share", cell, svymean(~I(1 * (wide == "Yes")), here))
  }
  shares <- coef(svymean(~after, design))
  for (band in levels(design$variables$after)) {
    national(name, "bands", "share", paste0("band@T1=", band), shares[paste0("after", band)])
    rows <- coef(svymean(~after, subset(design, before == band)))
    for (other in levels(design$variables$after)) {
      cell <- paste0("band@T0=", band, ";band@T1=", other)
      national(name, "moved", "row_share", cell, rows[paste0("after", other)])
    }
  }
  table <- coef(svymean(~interaction(wide, awards), design))
  for (one in c("No", "Yes")) for (other in c("No", "Yes")) {
    cell <- paste0("wide=", one, ";awards=", other)
    national(name, "table", "share", cell, table[paste0("interaction(wide, awards)", one, ".", other)])
  }
  for (way in c("improved", "same", "worse")) {
    moved <- c(improved = 1, same = 0, worse = -1)[[way]]
    national(name, "change", "share", paste0("change=", way), svymean(~I(1 * (sign(api00 - api99) == moved)), design))
  }
  regional(name, "wide", "share", svyby(~I(1 * (wide == "Yes")), ~region, design, svymean), n)
  regional(name, "score", "mean", svyby(~api00, ~region, design, svymean))
  regional(name, "pupils", "sum", svyby(~I(enroll * share), ~region, design, svytotal))
}

# ---- kinds whose figures rest on two variables or more
several <- function(name, design) {
  design <- update(design, wider = 1 * (wide == "Yes"))
  n <- nrow(design)
  spread <- as.matrix(svyvar(~api00 + meals, design)) * (n - 1) / n
  national(name, "together", "covariance", "", spread[1, 2])
  national(name, "alike", "correlation", "", spread[1, 2] / sqrt(spread[1, 1] * spread[2, 2]))
  fitted <- coef(svyglm(api00 ~ ell + meals + wider, design))
  terms <- c("(intercept)", "ell", "meals", "wide in {Yes}")
  national(name, "explained", "coefficient", paste0("term=", terms), as.numeric(fitted))
  # Scores by award, had each kind of school by award the bands of all schools a year before.
  alike <- svystandardize(design, by = ~before, over = ~awards, population = svytable(~before, design))
  scores <- coef(svyby(~api00, ~awards, alike, svymean))
  national(name, "adjusted", "adjusted_difference", "awards=Yes", scores[["Yes"]] - scores[["No"]])
  plain <- coef(svyby(~api00, ~awards, design, svymean))
  national(name, "adjusted", "naive_difference", "awards=Yes", plain[["Yes"]] - plain[["No"]])
  parts <- c(0.25, 0.5, 0.75)
  middle <- svyquantile(~pmin(ell, 63), design, parts, qrule = "math", ci = FALSE)[[1]]
  say(name, "learners", "quantile", "national", paste0("quantile=", parts), "leaf", as.numeric(middle))
}

made <- deliver("strat", transform(apistrat, weight = round(pw, 2), one = 1), as.character(apistrat$stype))
made$share <- 1 / made$weight
strata <- svydesign(id = ~1, strata = ~region, weights = ~weight, data = made)
kinds("strat", strata, as.vector(table(made$region)))
several("strat", strata)
# Of unequal weights: the variance of all schools, and the effective number of Kish.
alone <- svyvar(~I(1 * (wide == "Yes")), strata)[1] * (nrow(made) - 1) / nrow(made)
kish <- sum(made$weight)^2 / sum(made$weight^2)
say("strat", "wide", "share", "national", "", "sampling_sd", sqrt(alone / kish))

made <- deliver("srs", transform(apisrs, weight = 1, one = 1, share = 1), as.character(apisrs$stype))
equal <- svydesign(id = ~1, weights = ~weight, data = made)
kinds("srs", equal, nrow(made))
several("srs", equal)
error <- SE(svymean(~I(1 * (wide == "Yes")), equal)) * sqrt((nrow(made) - 1) / nrow(made))
say("srs", "wide", "share", "national", "", "sampling_sd", error)
# Residuals that spread alike everywhere: the errors of ordinary least squares.
plain <- summary(lm(api00 ~ ell + meals + I(1 * (wide == "Yes")), made))$coefficients[, "Std. Error"]
terms <- c("(intercept)", "ell", "meals", "wide in {Yes}")
say("srs", "explained", "coefficient", "national", paste0("term=", terms), "sampling_sd", plain)

# ---- half of the country now, the other half a cycle ago: .6 and .4 of it, with a drift of .02
here <- svymean(~I(1 * (wide == "Yes")), strata)
there <- svymean(~I(1 * (wide == "Yes")), equal)
say("both", "wide", "share", "national", "", "now", c(coef(here)))
say("both", "wide", "share", "national", "", "now_se", SE(here))
say("both", "wide", "share", "national", "", "before", c(coef(there)))
say("both", "wide", "share", "national", "", "before_se", SE(there))
both <- svycontrast(structure(c(coef(here), coef(there)), var = diag(c(SE(here)^2, SE(there)^2 + 0.02^2)),
                              class = "svystat"), c(0.6, 0.4))
say("both", "wide", "share", "national", "", "estimate", c(coef(both)))
say("both", "wide", "share", "national", "", "std_error", SE(both))

# ---- thirteen counties whole: each pulled towards their mean, by metafor's own likelihood and predictions
counties <- c("Contra Costa", "Fresno", "Kern", "Marin", "Merced", "Monterey", "Placer", "San Francisco",
              "San Joaquin", "Solano", "Sonoma", "Stanislaus", "Ventura")
chosen <- apipop[apipop$cname %in% counties, ]
made <- deliver("counties", chosen, gsub(" ", "", chosen$cname))
n <- as.vector(table(made$region))
y <- as.vector(tapply(made$wide == "Yes", made$region, mean))
everywhere <- sum(n * y) / sum(n)
v <- everywhere * (1 - everywhere) / n
height <- function(between) {
  likelihood <- as.numeric(logLik(rma(y, v, tau2 = between, method = "REML"), REML = TRUE))
  likelihood + log(atan(sum(between / (between + v)))) / length(y)
}
between <- optimize(height, c(0, 10 * mean(v)), maximum = TRUE, tol = 1e-14)$maximum
model <- rma(y, v, tau2 = between, method = "REML")
pulled <- blup(model)
third <- v^2 / (between + v)^3 * 2 / sum(1 / (between + v)^2)
scopes <- levels(factor(made$region))
say("counties", "wide", "share", scopes, "", "estimate", y)
say("counties", "wide", "share", scopes, "", "shrunk", pulled$pred)
say("counties", "wide", "share", scopes, "", "shrunk_se", sqrt(pulled$se^2 + 2 * third))

write.csv(do.call(rbind, figures), file.path(folder, "figures.csv"), row.names = FALSE)
cat(as.character(getRversion()), as.character(packageVersion("survey")), as.character(packageVersion("metafor")))
