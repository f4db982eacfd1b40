class HealthController < ActionController::Base
  def status; end
  def version; end
end
