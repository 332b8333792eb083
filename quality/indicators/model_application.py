"""0301–0305. None is measured automatically today: diversity, sufficiency, timeliness, label accuracy and fitness need
declared facets, requirements of a target scenario, or experts. They are shown as 未测 and never guessed."""
