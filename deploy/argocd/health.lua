-- The health of both kinds of the group aicore.dev, for Argo CD. docs/gitops.md tells how it is installed.
--
-- What is stopped, deleted or expired as its spec asks is Healthy and never Suspended: nobody has to resume anything.
-- Stalled means that a person has to act; everything else goes on by itself.

local function health(status, message)
  return { status = status, message = message }
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", "it goes when AI Core has proven that nothing is left")
end
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "the operator has not looked at this spec yet")
end

local conditions = {}
for _, condition in ipairs(obj.status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready = conditions.Ready
if conditions.Stalled ~= nil and conditions.Stalled.status == "True" then
  return health("Degraded", conditions.Stalled.reason .. ": " .. conditions.Stalled.message)
end
if ready == nil then
  return health("Progressing", "the operator has not looked at this object yet")
end
if ready.status == "True" then
  return health("Healthy", ready.reason .. ": " .. ready.message)
end
return health("Progressing", ready.reason .. ": " .. ready.message)
